"""Maps errors to error responses: status, challenge and JSON body (RFC 6750 section 3, RFC 9110 section 11.6.1).

No value from a token, a request or an exception enters a header.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from tornado.httputil import HTTPHeaders

from service.errors import (
    AccessDenied,
    CrossSiteRequest,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    MissingToken,
    Reason,
    RetryLater,
    TokenError,
    TooManyRequests,
)

_PARAMETER = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+=(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+|\"[\x20\x21\x23-\x5b\x5d-\x7e]*\")"
_CHALLENGE = re.compile(rf"[A-Za-z0-9!#$%&'*+.^_`|~-]+(?: {_PARAMETER}(?:, {_PARAMETER})*)?")

DESCRIPTIONS: Mapping[Reason, str] = {
    Reason.MISSING_TOKEN: "This resource needs an access token, sent as: Authorization: Bearer TOKEN",
    Reason.SEVERAL_CREDENTIALS: "The request carries more than one credential, send exactly one",
    Reason.MALFORMED_CREDENTIALS: "The credentials are malformed, send one access token as RFC 6750 section 2 says",
    Reason.TOO_LARGE: "The access token is too large",
    Reason.MALFORMED_TOKEN: "The access token is malformed",
    Reason.UNKNOWN_ISSUER: "The access token is from an issuer that is not accepted here",
    Reason.CRITICAL_HEADER: "The access token requires an extension that is not supported here",
    Reason.UNSUPPORTED_TYPE: "The token is of a type that is not an access token",
    Reason.UNSUPPORTED_ALGORITHM: "The access token is signed with an algorithm that is not accepted here",
    Reason.UNKNOWN_KEY: "The access token is signed with a key that its issuer does not publish",
    Reason.BAD_SIGNATURE: "The signature of the access token is wrong",
    Reason.MISSING_CLAIM: "The access token lacks a required claim",
    Reason.MALFORMED_CLAIM: "The access token has a claim of the wrong form",
    Reason.WRONG_ISSUER: "The access token is from another issuer",
    Reason.WRONG_AUDIENCE: "The access token was issued for another audience",
    Reason.EXPIRED: "The access token has expired",
    Reason.NOT_YET_VALID: "The access token is not valid yet",
    Reason.ISSUED_IN_FUTURE: "The access token was issued in the future",
    Reason.TOO_OLD: "The access token was issued too long ago",
    Reason.CLIENT_NOT_TRUSTED: "The access token was issued to a client that is not accepted here",
    Reason.ID_TOKEN: "This is an ID token, send the access token instead",
    Reason.SENDER_CONSTRAINED: "The access token is bound to a key, and its proof is missing",
    Reason.INACTIVE: "The access token is not active: it has expired, was revoked, or was never issued",
    Reason.REVOKED: "The access token has been revoked",
    Reason.REJECTED_BY_HANDLER: "The access token is not accepted by this resource",
    Reason.INSUFFICIENT_SCOPE: "The access token lacks a scope that this resource needs",
    Reason.GROUP_REQUIRED: "The user of the access token is not in a group that this resource needs",
    Reason.ROLE_REQUIRED: "The access token has no role that this resource needs",
    Reason.CLAIM_MISMATCH: "The access token lacks a claim value that this resource needs",
    Reason.CLIENT_FORBIDDEN: "The client of the access token may not use this resource",
    Reason.ACCESS_DENIED: "This resource is not for the bearer of the access token",
    Reason.INSUFFICIENT_ACR: "A stronger authentication of the user is required",
    Reason.AUTHENTICATION_TOO_OLD: "A more recent authentication of the user is required",
}
"""A fixed sentence for each reason, in the characters that RFC 6750 section 3 allows for ``error_description``."""

_CODES: Mapping[type[TokenError], tuple[int, str]] = {
    MissingToken: (401, "missing_token"),
    InvalidRequest: (400, "invalid_request"),
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
        headers: The challenge or ``Retry-After``.
        is_failure: Whether the server failed, so that the body has the ID of a log entry.
    """

    status: int
    error: str
    description: str
    headers: Mapping[str, str] = field(default_factory=dict)
    is_failure: bool = False

    @property
    def content(self) -> dict[str, str]:
        """The JSON of the response."""
        return {"error": self.error, "error_description": self.description}

    def header_fields(self) -> HTTPHeaders:
        """Return the header fields, without those of the content; no cache may store an error response."""
        return HTTPHeaders({**self.headers, "Cache-Control": "no-store"})


def error_response_for(
    error: TokenError | CrossSiteRequest | RetryLater, *, realm: str, resource_metadata: str | None = None
) -> ErrorResponse:
    """Return the response to a rejected request, or to a token that cannot be validated.

    Args:
        realm: The protection space, in the characters of a quoted string.
        resource_metadata: The URL of the metadata (RFC 9728 section 5.1), from the settings and never from the request.
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
    challenge = "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    return ErrorResponse(status=status, error=code, description=description, headers={"WWW-Authenticate": challenge})


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
        if challenge.partition(" ")[0].lower() == "bearer":
            raise ValueError(f"{challenge!r} repeats the bearer challenge, which is sent already; remove it")
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
