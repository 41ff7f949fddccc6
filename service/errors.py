"""Every error that this package raises, in one tree.

.. code-block:: text

    ServiceError
    ├── SettingsError                   at start: what is set cannot be served
    ├── TokenError                      the client can act on it
    │   ├── MissingToken                401  bare challenge
    │   ├── InvalidRequest              400  invalid_request
    │   ├── InvalidToken                401  invalid_token
    │   ├── InsufficientScope           403  insufficient_scope, and the scope that would do
    │   ├── AccessDenied                403  insufficient_scope, and no scope would do
    │   └── InsufficientAuthentication  401  insufficient_user_authentication
    └── IssuerUnavailable               503  nobody can tell whether the token is good

The two families of refusals share no parent below the root, so that an issuer's trouble
can never be caught, and answered, as a client's mistake.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence


class Reason(enum.StrEnum):
    """Why a request is refused: the word for logs, metrics and tests.

    What the client reads is one fixed sentence for each of them, in :mod:`service.web.responses.challenge`.
    """

    MISSING_TOKEN = enum.auto()

    SEVERAL_CREDENTIALS = enum.auto()
    MALFORMED_CREDENTIALS = enum.auto()

    TOO_LARGE = enum.auto()
    MALFORMED_TOKEN = enum.auto()
    UNKNOWN_ISSUER = enum.auto()
    CRITICAL_HEADER = enum.auto()
    UNSUPPORTED_TYPE = enum.auto()
    UNSUPPORTED_ALGORITHM = enum.auto()
    UNKNOWN_KEY = enum.auto()
    BAD_SIGNATURE = enum.auto()
    MISSING_CLAIM = enum.auto()
    MALFORMED_CLAIM = enum.auto()
    WRONG_ISSUER = enum.auto()
    WRONG_AUDIENCE = enum.auto()
    EXPIRED = enum.auto()
    NOT_YET_VALID = enum.auto()
    ISSUED_IN_FUTURE = enum.auto()
    TOO_OLD = enum.auto()
    CLIENT_NOT_TRUSTED = enum.auto()
    ID_TOKEN = enum.auto()
    SENDER_CONSTRAINED = enum.auto()
    INACTIVE = enum.auto()
    REVOKED = enum.auto()
    REJECTED_BY_HANDLER = enum.auto()

    INSUFFICIENT_SCOPE = enum.auto()
    GROUP_REQUIRED = enum.auto()
    CLAIM_MISMATCH = enum.auto()
    CLIENT_FORBIDDEN = enum.auto()
    ACCESS_DENIED = enum.auto()

    INSUFFICIENT_ACR = enum.auto()
    AUTHENTICATION_TOO_OLD = enum.auto()


class ServiceError(Exception):
    """The root of everything that this package raises on purpose."""


class SettingsError(ServiceError):
    """The settings cannot be served as they are.

    Args:
        problems: One sentence each: the key, what it was, what was expected.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class TokenError(ServiceError):
    """The request is refused, and the client can act on it.

    Args:
        reason: The word for logs, metrics and tests.
        detail: What was seen and expected, for the log alone; holds no token and no secret.
        claim: The claim or header parameter that the refusal is about, where there is one.
    """

    def __init__(self, reason: Reason, detail: str = "", *, claim: str | None = None) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.claim = claim


class MissingToken(TokenError):
    """The request carries no credential that we know (RFC 6750 section 3.1: no error code)."""

    def __init__(self) -> None:
        super().__init__(Reason.MISSING_TOKEN)


class InvalidRequest(TokenError):
    """The credential is sent twice, or in a form that nobody can read (RFC 6750 section 3.1)."""


class InvalidToken(TokenError):
    """The token is expired, malformed, not ours, or not to be trusted (RFC 6750 section 3.1)."""


class InsufficientScope(TokenError):
    """The token is good and does not reach far enough (RFC 6750 section 3.1).

    Args:
        required: The scopes that would do.
    """

    def __init__(self, required: Iterable[str]) -> None:
        self.required = tuple(sorted(required))
        super().__init__(Reason.INSUFFICIENT_SCOPE, f"required: {' '.join(self.required)}")


class AccessDenied(TokenError):
    """The token is good, and whoever it speaks for may not do this, with more scopes neither.

    Its code is ``insufficient_scope`` all the same: of the registered ones it is the one for requests that
    need "higher privileges than provided by the access token" (RFC 6750 section 3.1).
    """


class InsufficientAuthentication(TokenError):
    """The token is good, and its user was authenticated too weakly or too long ago (RFC 9470 section 3).

    Args:
        acr_values: The authentication context classes of which one would do, the preferred first.
        max_age: Seconds that may have passed since the user was authenticated.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, acr_values: Sequence[str] = (), max_age: int | None = None
    ) -> None:
        super().__init__(reason, detail, claim="acr" if reason is Reason.INSUFFICIENT_ACR else "auth_time")
        self.acr_values = tuple(acr_values)
        self.max_age = max_age


class IssuerUnavailable(ServiceError):
    """The authorization server cannot be asked, so nobody can tell whether the token is good.

    Args:
        detail: What was tried and what came back, for the log and for ``/readyz``.
        retry_after: Seconds until it is worth asking again.
    """

    def __init__(self, detail: str, *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after
