"""A response before it is sent, and the formats of error responses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import RFC_OVERRIDES, ErrorCase, ErrorFormat
from fakeissuer.model.identifiers import new_error_id
from fakeissuer.model.records import to_json

_RATE_LIMIT = 600
_RATE_WINDOW_S = 60
"""The limit in Okta's rate limit headers and its window; only a fault exceeds it."""

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """A response; its headers may contain cookies and codes, so the repr omits them."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def with_defaults(self, headers: Mapping[str, str]) -> Reply:
        """Return the response with these headers added unless it has a header of the same name in any case."""
        own = {name.lower() for name in self.headers}
        missing = {name: value for name, value in headers.items() if name.lower() not in own}
        return replace(self, headers={**missing, **self.headers})


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON response."""
    return Reply(status, to_json(value), {**JSON, **(headers or {})})


def error_reply(error: OAuthError, challenge: str = "") -> Reply:
    """Return the error response in the format of its case."""
    spec = error.case.value
    if spec.format is ErrorFormat.CHALLENGE:
        headers = {"WWW-Authenticate": challenge, "Access-Control-Expose-Headers": "WWW-Authenticate"}
        return Reply(spec.status, headers=headers)
    if spec.format is ErrorFormat.OAUTH:
        return json_reply({"error": spec.code, "error_description": str(error)}, spec.status)
    members = {
        "errorCode": spec.code,
        "errorSummary": str(error),
        "errorLink": spec.code,
        "errorId": new_error_id(),
        "errorCauses": [{"errorSummary": error.detail}] if error.case is ErrorCase.NOT_VALID else [],
    }
    return json_reply(members, spec.status)


def rfc_error_reply(error: OAuthError, challenge: str = "") -> Reply:
    """Return the error response of the strict profile, always in OAuth format."""
    spec = error.case.value
    if spec.format is ErrorFormat.CHALLENGE:
        return error_reply(error, challenge)
    status, code = RFC_OVERRIDES.get(error.case, (spec.status, spec.code))
    headers = {}
    if status == 401:
        # RFC 9110 section 15.5.2 requires a challenge.
        headers["WWW-Authenticate"] = f'{"Bearer" if code == "invalid_token" else "Basic"} realm="fakeissuer"'
    return json_reply({"error": code, "error_description": str(error)}, status, headers)


CASE_FOR_STATUS = {
    400: ErrorCase.BODY_UNREADABLE,
    401: ErrorCase.API_TOKEN_INVALID,
    403: ErrorCase.FORBIDDEN,
    404: ErrorCase.NO_SUCH_PATH,
    405: ErrorCase.METHOD_NOT_ALLOWED,
    429: ErrorCase.TOO_MANY_REQUESTS,
    503: ErrorCase.UNAVAILABLE,
}
"""The case for errors with a status only."""


def rate_limit_headers(now: float) -> dict[str, str]:
    """Return the rate limit headers of a regular response; ``now`` is in seconds since the epoch."""
    left = {"limit": _RATE_LIMIT, "remaining": _RATE_LIMIT - 1, "reset": int(now) + _RATE_WINDOW_S}
    return {f"x-rate-limit-{name}": str(value) for name, value in left.items()}


def rate_limit_exceeded_headers(now: float) -> dict[str, str]:
    """Return the headers of a 429: the limit and its reset time, in seconds since the epoch.

    Like Okta's, the response has no Retry-After.
    """
    reset = str(int(now) + _RATE_WINDOW_S)
    return {"X-Rate-Limit-Limit": str(_RATE_LIMIT), "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset}
