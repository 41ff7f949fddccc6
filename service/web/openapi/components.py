"""What all descriptions share: how to present a token, and how every refusal looks (RFC 6750 section 3)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from service.web.challenge import error_codes

__all__ = ["BEARER", "REFUSED", "components", "issuer_scheme", "refusal"]

BEARER = "bearer"
REFUSED = "default"

_NAMES = {
    "400": "MalformedCredentials",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "503": "IssuerUnavailable",
    REFUSED: "Refused",
}
_SENTENCES = {
    "400": "The request, or what it presents as a token, is malformed.",
    "401": "There is no token, or one that is not good enough; the challenge says which, and what would be.",
    "403": "The token is good, and does not allow this.",
    "404": "There is no such resource.",
    "503": "The token cannot be judged right now, because its issuer cannot be asked. The token may well be good.",
    REFUSED: "Any other refusal: an unknown method, a body that is too large, a mistake of the server.",
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


def refusal(status: str) -> dict[str, str]:
    """Return the reference to the description of a refusal."""
    return {"$ref": f"#/components/responses/{_NAMES[status]}"}


def issuer_scheme(number: int) -> str:
    """Return the name under which the tokens of the n-th issuer, from 0, are known."""
    return "issuer" if number == 0 else f"issuer{number + 1}"


def components(issuers: Sequence[str]) -> dict[str, Any]:
    """Return what operations refer to.

    An issuer stands there by the address of its metadata: the rest is the issuer's to say, and it may be down now.
    """
    schemes: dict[str, Any] = {
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token in the field Authorization (RFC 6750 section 2.1).",
        }
    }
    for number, issuer in enumerate(issuers):
        schemes[issuer_scheme(number)] = {
            "type": "openIdConnect",
            "openIdConnectUrl": f"{issuer.rstrip('/')}/.well-known/openid-configuration",
            "description": f"An access token of {issuer}.",
        }
    return {
        "schemas": {"Error": _ERROR},
        "responses": {name: _response(status) for status, name in _NAMES.items()},
        "securitySchemes": schemes,
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
