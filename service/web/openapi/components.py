"""What all descriptions share: how to present a token, and how every refusal looks (RFC 6750 section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from service.web.responses.challenge import error_codes

DEFAULT = "default"

_NAMES = {
    "400": "MalformedCredentials",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "503": "IssuerUnavailable",
    DEFAULT: "Refused",
}
_SENTENCES = {
    "400": "The request, or what it presents as a token, is malformed.",
    "401": "There is no token, or one that is not good enough; the challenge says which, and what would be.",
    "403": "The token is good, and does not allow this.",
    "404": "There is no such resource.",
    "503": "The token cannot be judged right now, because its issuer cannot be asked. The token may well be good.",
    DEFAULT: "Any other refusal: an unknown method, a body that is too large, a mistake of the server.",
}
_CHALLENGE = (
    "The challenge (RFC 6750 section 3): `realm`, and as they apply `error`, `error_description`, the `scope` that "
    "would do, `acr_values` and `max_age` where the user has to sign in better (RFC 9470), and `resource_metadata` "
    "(RFC 9728)."
)
_ERROR = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "The error in one word."},
        "error_description": {"type": "string", "description": "The error in one sentence, always the same."},
        "id": {"type": "string", "description": "Of a mistake of the server: what its log can be searched for."},
    },
}


def error_reference(status: str) -> dict[str, str]:
    """Return the reference to the description of a refusal."""
    return {"$ref": f"#/components/responses/{_NAMES[status]}"}


def components(schemes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what operations refer to, with the security schemes among it."""
    return {
        "schemas": {"Error": _ERROR},
        "responses": {name: _response(status) for status, name in _NAMES.items()},
        "securitySchemes": dict(schemes),
    }


def _response(status: str) -> dict[str, Any]:
    sentence = _SENTENCES[status]
    if status.isdecimal() and (codes := error_codes(int(status))):
        sentence += f" Its `error` is {' or '.join(f'`{code}`' for code in codes)}."
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": sentence, "headers": _headers(status), "content": content}


def _headers(status: str) -> dict[str, Any]:
    if status in {"400", "401", "403"}:
        # Only 401 must have one; the others may be a handler's own refusals, which no token would help against.
        schema = {"type": "string", "pattern": "^Bearer "}
        header = {"description": _CHALLENGE, "required": status == "401", "schema": schema}
        return {"WWW-Authenticate": header}
    if status == "503":
        header = {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}}
        return {"Retry-After": header}
    return {}
