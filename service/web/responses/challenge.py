"""Maps errors to error responses: status, challenge and JSON body (RFC 6750 section 3, RFC 9110 section 11.6.1).

No value from a token, a request or an exception enters a header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tornado.httputil import HTTPHeaders

from service.binding import OFF, REQUIRED, SCHEME
from service.errors import (
    AccessDenied,
    CrossSiteRequest,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidProof,
    InvalidRequest,
    InvalidToken,
    MissingToken,
    NonceRequired,
    RetryLater,
    TokenError,
    TooManyRequests,
)
from service.web.responses.descriptions import DESCRIPTIONS

_PARAMETER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+=(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+|\"[\x20\x21\x23-\x5b\x5d-\x7e]*\")"
_CHALLENGE = re.compile(rf"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: {_PARAMETER}(?:, {_PARAMETER})*)?")

_CODES: Mapping[type[TokenError], tuple[int, str]] = {
    MissingToken: (401, "missing_token"),
    InvalidRequest: (400, "invalid_request"),
    NonceRequired: (401, "use_dpop_nonce"),
    InvalidProof: (401, "invalid_dpop_proof"),
    InvalidToken: (401, "invalid_token"),
    InsufficientScope: (403, "insufficient_scope"),
    AccessDenied: (403, "insufficient_scope"),
    InsufficientAuthentication: (401, "insufficient_user_authentication"),
}

_STATUSES: Mapping[int, tuple[str, str]] = {
    400: ("invalid_request", "The request is malformed"),
    403: ("access_denied", "This is not allowed"),
    404: ("not_found", "There is no such resource"),
    405: ("method_not_allowed", "This resource does not support that method"),
    408: ("request_timeout", "The request did not arrive in time"),
    413: ("content_too_large", "The body of the request is too large"),
    414: ("uri_too_long", "The address of the request is too long"),
    426: ("upgrade_required", "This resource is a WebSocket, open it as one"),
    431: ("request_header_fields_too_large", "The header of the request is too large"),
    500: ("server_error", "The server failed; its log has an entry with this id"),
    503: ("temporarily_unavailable", "The server is unavailable; its log has an entry with this id"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorResponse:
    """An error response.

    Args:
        status: The HTTP status.
        error: The error code.
        description: A fixed sentence for the client.
        headers: ``Retry-After`` or ``DPoP-Nonce``.
        challenges: The challenges, that of the scheme which the client has tried first.
        is_failure: Whether the server failed, so that the body has the ID of a log entry.
    """

    status: int
    error: str
    description: str
    headers: Mapping[str, str] = field(default_factory=dict)
    challenges: tuple[str, ...] = ()
    is_failure: bool = False

    @property
    def content(self) -> dict[str, str]:
        """The JSON of the response."""
        return {"error": self.error, "error_description": self.description}

    def header_fields(self) -> HTTPHeaders:
        """Return the header fields, without those of the content; no cache may store an error response."""
        fields = HTTPHeaders({**self.headers, "Cache-Control": "no-store"})
        for challenge in self.challenges:  # one field each, which every client can parse
            fields.add("WWW-Authenticate", challenge)
        return fields


@dataclass(frozen=True, kw_only=True, slots=True)
class ChallengeSchemes:
    """The schemes with which a client may present a token.

    Args:
        bearer: Whether ``Bearer`` is one of them.
        dpop_algorithms: The algorithms of proofs for ``DPoP``; empty if it is none of them.
    """

    bearer: bool = True
    dpop_algorithms: tuple[str, ...] = ()

    @classmethod
    def of(cls, modes: Iterable[str], algorithms: tuple[str, ...]) -> ChallengeSchemes:
        """Return the schemes that at least one of these modes allows."""
        allowed = set(modes)
        return cls(bearer=allowed != {REQUIRED}, dpop_algorithms=() if allowed <= {OFF} else algorithms)


def error_response_for(
    error: TokenError | CrossSiteRequest | RetryLater,
    *,
    realm: str,
    resource_metadata: str | None = None,
    schemes: ChallengeSchemes = ChallengeSchemes(),  # it is frozen
    tried: str = "Bearer",
) -> ErrorResponse:
    """Return the response to a rejected request, or to a token that cannot be validated.

    Args:
        realm: The protection space, in the characters of a quoted string.
        resource_metadata: The URL of the metadata (RFC 9728 section 5.1), from the settings and never from the request.
        schemes: The schemes that are accepted.
        tried: The scheme with which the client has presented its token; its challenge names the error.
    """
    if isinstance(error, RetryLater):
        return _retry_later(error)
    if isinstance(error, CrossSiteRequest):
        return error_response_for_status(403)
    status, code = next(entry for kind, entry in _CODES.items() if isinstance(error, kind))
    description = DESCRIPTIONS[error.reason]
    parameters = {"realm": realm}
    if not isinstance(error, MissingToken):  # no error code without a token (RFC 6750 section 3.1)
        parameters |= {"error": code, "error_description": description} | _scope(error)
    if resource_metadata is not None:
        parameters["resource_metadata"] = resource_metadata
    parameters |= _step_up(error)
    return ErrorResponse(
        status=status,
        error=code,
        description=description,
        headers={"DPoP-Nonce": error.nonce} if isinstance(error, NonceRequired) else {},
        challenges=tuple(_challenges(parameters, schemes, tried=tried, only_tried=status != 401)),
    )


def _challenges(
    parameters: Mapping[str, str], schemes: ChallengeSchemes, *, tried: str, only_tried: bool
) -> Iterator[str]:
    """Yield the challenge of each scheme, first that of the one which was tried, with the error (RFC 9449 section 7.1).

    Args:
        only_tried: Whether another scheme would not help the client.
    """
    algs = {"algs": " ".join(schemes.dpop_algorithms)}
    offered: dict[str, dict[str, str]] = {"Bearer": {}} if schemes.bearer else {}
    if schemes.dpop_algorithms:
        offered[SCHEME] = algs
    first = tried if tried in offered else next(iter(offered))
    plain = {name: value for name, value in parameters.items() if name in {"realm", "resource_metadata"}}
    yield _format(first, {**parameters, **offered.pop(first)})
    if not only_tried:
        for scheme, own in offered.items():
            yield _format(scheme, {**plain, **own})


def _format(scheme: str, parameters: Mapping[str, str]) -> str:
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())


def _retry_later(error: RetryLater) -> ErrorResponse:
    """Return a response without a challenge, which would make the client discard a token that may be valid."""
    if isinstance(error, TooManyRequests):
        status, code = 429, "too_many_requests"
        description = "Too many access tokens that are not active were sent from this address, wait before the next one"
    else:
        status, code = 503, "temporarily_unavailable"
        description = "The access token cannot be validated now, because its issuer is unavailable"
    headers = {"Retry-After": str(max(1, math.ceil(error.retry_after)))}
    return ErrorResponse(status=status, error=code, description=description, headers=headers)


def parse_challenges(value: object) -> tuple[str, ...]:
    """Parse the attribute ``further_challenges``, challenges of other schemes (RFC 9110 section 11.6.1).

    Raises:
        TypeError: The value is neither a string nor a list of strings.
        ValueError: An item is not a challenge, or is a bearer challenge.
    """
    if not isinstance(value, Iterable):
        raise TypeError(f"further_challenges must be a string or a list of strings, not {value!r}")
    challenges = (value,) if isinstance(value, str) else tuple(value)
    for challenge in challenges:
        if not isinstance(challenge, str) or not _CHALLENGE.fullmatch(challenge):
            raise ValueError(f'{challenge!r} is not a challenge; use a scheme and its parameters: Basic realm="name"')
        if challenge.partition(" ")[0].lower() in {"bearer", "dpop"}:
            raise ValueError(f"{challenge!r} repeats a challenge that is sent already; remove it")
    return challenges


def _scope(error: TokenError) -> dict[str, str]:
    return {"scope": " ".join(error.required)} if isinstance(error, InsufficientScope) else {}


def _step_up(error: TokenError) -> dict[str, str]:
    """Return the parameters of a step-up challenge (RFC 9470 section 3)."""
    parameters = {}
    if isinstance(error, InsufficientAuthentication):
        if error.acr_values:
            parameters["acr_values"] = " ".join(error.acr_values)
        if error.max_age is not None:
            parameters["max_age"] = str(error.max_age)
    return parameters


def error_response_for_status(status: int) -> ErrorResponse:
    """Return the response to a request that failed for another cause than its token."""
    fallback = ("invalid_request", "The request cannot be served") if status < 500 else _STATUSES[500]
    error, description = _STATUSES.get(status, fallback)
    return ErrorResponse(status=status, error=error, description=description, is_failure=status >= 500)


def error_codes(status: int) -> list[str]:
    """Return the error codes of the token errors that have this status."""
    return list(dict.fromkeys(code for code_status, code in _CODES.values() if code_status == status))
