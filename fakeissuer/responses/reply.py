"""What a handler answers, before it is put on the wire: status, headers, body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import RFC_OVERRIDES, ErrorCase, ErrorFormat
from fakeissuer.model.identifiers import new_error_id
from fakeissuer.model.records import to_json

_RATE_LIMIT = 600
_RATE_WINDOW_S = 60
"""Requests, and seconds, that Okta's headers tell of; the limit is told and never reached but on demand."""

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """An answer; header names are written as they go out, and a cookie or a code may stand in their values."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def with_defaults(self, headers: Mapping[str, str]) -> Reply:
        """Return the same answer with these headers too, where it has none of that name, in any case, yet."""
        own = {name.lower() for name in self.headers}
        missing = {name: value for name, value in headers.items() if name.lower() not in own}
        return replace(self, headers={**missing, **self.headers})


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return an answer whose body is JSON."""
    return Reply(status, to_json(value), {**JSON, **(headers or {})})


def error_reply(error: OAuthError, challenge: str = "") -> Reply:
    """Return the answer to a refused request, in the shape that the table of problems gives its row."""
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
    """Return the answer to a refused request of the profile that keeps to the RFCs: all have the shape of OAuth."""
    spec = error.case.value
    if spec.format is ErrorFormat.CHALLENGE:
        return error_reply(error, challenge)
    status, code = RFC_OVERRIDES.get(error.case, (spec.status, spec.code))
    headers = {}
    if status == 401:
        # RFC 9110 section 15.5.2: there is a challenge, and one about the scheme that was not good enough.
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
"""The row of the table that fits where only a status is known."""


def rate_limit_headers(now: float) -> dict[str, str]:
    """Return the headers that tell of a limit which has not been reached."""
    left = {"limit": _RATE_LIMIT, "remaining": _RATE_LIMIT - 1, "reset": int(now) + _RATE_WINDOW_S}
    return {f"x-rate-limit-{name}": str(value) for name, value in left.items()}


def rate_limit_exceeded_headers(now: float) -> dict[str, str]:
    """Return the headers that go with a 429, whatever the limit is for.

    They say when it is lifted, in seconds since the epoch; there is no Retry-After, for Okta's has none.
    """
    reset = str(int(now) + _RATE_WINDOW_S)
    return {"X-Rate-Limit-Limit": str(_RATE_LIMIT), "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset}
