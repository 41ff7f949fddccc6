"""The errors that this package raises.

.. code-block:: text

    ServiceError
    ├── SettingsError                   at start: the settings are invalid
    ├── TokenError                      the client can act on it
    │   ├── MissingToken                401  bare challenge
    │   ├── InvalidRequest              400  invalid_request
    │   ├── InvalidToken                401  invalid_token
    │   ├── InvalidProof                401  invalid_dpop_proof
    │   │   └── NonceRequired           401  use_dpop_nonce, with the nonce
    │   ├── InsufficientScope           403  insufficient_scope, with the required scope
    │   ├── AccessDenied                403  insufficient_scope, without a scope
    │   └── InsufficientAuthentication  401  insufficient_user_authentication
    ├── CrossSiteRequest                403  another site sent a user's cookie; no challenge
    └── RetryLater                      the token cannot be validated now
        ├── IssuerUnavailable           503  because of the issuer
        └── TooManyRequests             429  because of the client's address

``TokenError`` and ``IssuerUnavailable`` share no parent below the root, so that code cannot catch
an outage of the issuer as an error of the client.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from typing import ClassVar

from service.text import escape_unprintable, hide_user_information


class Reason(enum.StrEnum):
    """Why a request is rejected, for logs, metrics and tests.

    The client receives one fixed description for each reason, see :mod:`service.web.responses.challenge`.
    """

    MISSING_TOKEN = enum.auto()

    SEVERAL_CREDENTIALS = enum.auto()
    MALFORMED_CREDENTIALS = enum.auto()
    AMBIGUOUS_URL = enum.auto()
    ORIGINAL_REQUEST = enum.auto()
    IDENTITY_HEADER = enum.auto()

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
    NOT_BOUND = enum.auto()
    MALFORMED_CERTIFICATE = enum.auto()
    INACTIVE = enum.auto()
    REVOKED = enum.auto()
    REJECTED_BY_HANDLER = enum.auto()

    MISSING_PROOF = enum.auto()
    SEVERAL_PROOFS = enum.auto()
    MALFORMED_PROOF = enum.auto()
    PROOF_TYPE = enum.auto()
    PROOF_ALGORITHM = enum.auto()
    PROOF_KEY = enum.auto()
    PROOF_KEY_MISMATCH = enum.auto()
    PROOF_SIGNATURE = enum.auto()
    PROOF_METHOD = enum.auto()
    PROOF_URL = enum.auto()
    PROOF_TOO_OLD = enum.auto()
    PROOF_IN_FUTURE = enum.auto()
    PROOF_TOKEN = enum.auto()
    PROOF_REPLAYED = enum.auto()
    PROOF_NONCE = enum.auto()

    INSUFFICIENT_SCOPE = enum.auto()
    GROUP_REQUIRED = enum.auto()
    ROLE_REQUIRED = enum.auto()
    CLAIM_MISMATCH = enum.auto()
    CLIENT_FORBIDDEN = enum.auto()
    ACCESS_DENIED = enum.auto()

    INSUFFICIENT_ACR = enum.auto()
    AUTHENTICATION_TOO_OLD = enum.auto()


class ServiceError(Exception):
    """The base class of all errors of this package."""


class SettingsError(ServiceError):
    """The settings are invalid.

    Args:
        problems: One sentence for each problem: the setting, its value, and what was expected.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        # A problem repeats what an operator wrote, perhaps with a password in a URL, or with what a terminal obeys.
        self.problems = tuple(
            "\n".join(escape_unprintable(hide_user_information(line)) for line in problem.split("\n"))
            for problem in problems
        )
        super().__init__("\n".join(self.problems))


class TokenError(ServiceError):
    """The request is rejected, and the client can do something about it.

    Args:
        reason: The reason for logs, metrics and tests.
        detail: What was found and expected, for the log only; contains no token and no secret.
        claim: The claim or header parameter that was rejected, if any.
        setting: The setting that lifts the rule, for the log and ``explain``; "" if there is none.
    """

    def __init__(self, reason: Reason, detail: str = "", *, claim: str | None = None, setting: str = "") -> None:
        text = f"{reason}: {detail}" if detail else str(reason)
        super().__init__(f"{text} (rejected unless {setting} is set)" if setting else text)
        self.reason = reason
        self.detail = detail
        self.claim = claim
        self.setting = setting


class MissingToken(TokenError):
    """The request has no credentials of a known scheme (RFC 6750 section 3.1: no error code)."""

    def __init__(self) -> None:
        super().__init__(Reason.MISSING_TOKEN)


class InvalidRequest(TokenError):
    """The credentials are malformed or sent more than once (RFC 6750 section 3.1)."""


class InvalidToken(TokenError):
    """The token is expired, malformed, untrusted or for another audience (RFC 6750 section 3.1)."""


class InvalidProof(TokenError):
    """The DPoP proof is missing, invalid, or was used before (RFC 9449 section 7.1)."""


class NonceRequired(InvalidProof):
    """The DPoP proof is valid but for its nonce (RFC 9449 section 9).

    Args:
        nonce: The nonce for the next proof.
    """

    def __init__(self, detail: str, *, nonce: str) -> None:
        super().__init__(Reason.PROOF_NONCE, detail, claim="nonce")
        self.nonce = nonce


class InsufficientScope(TokenError):
    """The token is valid but lacks a scope (RFC 6750 section 3.1).

    Args:
        required: The required scopes.
    """

    def __init__(self, required: Iterable[str]) -> None:
        self.required = tuple(sorted(required))
        super().__init__(Reason.INSUFFICIENT_SCOPE, f"required: {' '.join(self.required)}")


class AccessDenied(TokenError):
    """The token is valid, but its user or client is not authorized, whatever the scopes.

    The error code is ``insufficient_scope``, the registered one for requests that need "higher privileges than
    provided by the access token" (RFC 6750 section 3.1).
    """


class InsufficientAuthentication(TokenError):
    """The token is valid, but the user's sign-in is too weak or too old (RFC 9470 section 3).

    Args:
        acr_values: The accepted authentication context classes, the preferred one first.
        max_age: The maximum age of the sign-in, in seconds.
    """

    def __init__(
        self, reason: Reason, detail: str = "", *, acr_values: Sequence[str] = (), max_age: int | None = None
    ) -> None:
        super().__init__(reason, detail, claim="acr" if reason is Reason.INSUFFICIENT_ACR else "auth_time")
        self.acr_values = tuple(acr_values)
        self.max_age = max_age


class CrossSiteRequest(ServiceError):
    """Another site sent the request with a user's cookie, which another token cannot change."""

    reason: ClassVar[str] = "cross_site_request"
    """The cause for metrics."""


class RetryLater(ServiceError):
    """The token cannot be validated now, and may be valid.

    Args:
        detail: What happened, for the log and the admin port; contains no token and no secret.
        retry_after: Seconds until a retry makes sense.
    """

    reason: ClassVar[str]
    """The cause for metrics."""

    def __init__(self, detail: str, *, retry_after: float = 1.0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after = retry_after


class IssuerUnavailable(RetryLater):
    """The authorization server is unavailable; the detail names the request that failed and its outcome."""

    reason = "issuer_unavailable"


class TooManyRequests(RetryLater):
    """The client's address has caused too many introspection requests (RFC 6585 section 4).

    It is no :class:`IssuerUnavailable`, because a client must not be able to cause what is allowed during an outage.
    """

    reason = "too_many_requests"
