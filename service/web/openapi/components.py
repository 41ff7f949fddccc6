"""The components that all operations share: error responses and security schemes (RFC 6750 section 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from service.web.responses.challenge import error_codes

DEFAULT = "default"

_NAMES = {
    "400": "MalformedCredentials",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "NotFound",
    "503": "IssuerUnavailable",
    DEFAULT: "Error",
}
_DESCRIPTIONS = {
    "400": "The request or its credentials are malformed.",
    "401": "The token is missing or invalid, or the user has to sign in again; the challenge says which.",
    "403": "The token is valid but does not allow this request.",
    "404": "There is no such resource.",
    "503": "The token cannot be validated now, because its issuer is unavailable. The token may be valid.",
    DEFAULT: "Any other error: an unsupported method, a body that is too large, too many requests, a server failure.",
}
_CHALLENGE = (
    "A challenge for each accepted scheme (RFC 6750 section 3): `realm` and, as they apply, `error`, "
    "`error_description`, the sufficient `scope`, `acr_values` and `max_age` if the user has to sign in again "
    "(RFC 9470), and `resource_metadata` (RFC 9728)."
)
_CHALLENGE_OF_DPOP = " That for `DPoP` has `algs`, the accepted algorithms of proofs (RFC 9449 section 7.1)."
_NONCE = "The nonce for the next DPoP proof (RFC 9449 section 9)."
_PROOF = (
    "A JWT that proves possession of the key to which the token is bound, for this method and URL (RFC 9449 section "
    "4.2); it belongs to a token with the scheme `DPoP`."
)
_SCHEMES = {"bearer": "Bearer", "DPoP": "DPoP"}
_ERROR = {
    "type": "object",
    "required": ["error", "error_description"],
    "properties": {
        "error": {"type": "string", "description": "The error code."},
        "error_description": {"type": "string", "description": "A fixed sentence for each error."},
        "id": {"type": "string", "description": "For a failure of the server: the ID of its log entry."},
    },
}


def error_reference(status: str) -> dict[str, str]:
    """Return the reference to the error response with a status."""
    return {"$ref": f"#/components/responses/{_NAMES[status]}"}


def components(schemes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the components of the document, with these security schemes."""
    names = [_SCHEMES[scheme["scheme"]] for scheme in schemes.values() if scheme["type"] == "http"]
    parameters = {"DPoPProof": _proof(is_required=False), "RequiredDPoPProof": _proof(is_required=True)}
    return {
        "schemas": {"Error": _ERROR},
        **({"parameters": parameters} if "DPoP" in names else {}),
        "responses": {name: _response(status, names) for status, name in _NAMES.items()},
        "securitySchemes": dict(schemes),
    }


def _proof(*, is_required: bool) -> dict[str, Any]:
    # Without a pattern: the field means nothing beside a bearer token.
    schema = {"type": "string"}
    return {"name": "DPoP", "in": "header", "required": is_required, "description": _PROOF, "schema": schema}


def _response(status: str, schemes: Sequence[str]) -> dict[str, Any]:
    description = _DESCRIPTIONS[status]
    if status.isdecimal() and (codes := error_codes(int(status))):
        description += f" Its `error` is {' or '.join(f'`{code}`' for code in codes)}."
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": description, "headers": _headers(status, schemes), "content": content}


def _headers(status: str, schemes: Sequence[str]) -> dict[str, Any]:
    has_dpop = "DPoP" in schemes
    if status in {"400", "401", "403"}:
        # A handler may send 400 and 403 for other causes, without a challenge.
        schema = {"type": "string", "pattern": f"^(?:{'|'.join(schemes)}) "}
        description = _CHALLENGE + _CHALLENGE_OF_DPOP * has_dpop
        header = {"description": description, "required": status == "401", "schema": schema}
        nonce = {"description": _NONCE, "schema": {"type": "string"}}
        return {"WWW-Authenticate": header, **({"DPoP-Nonce": nonce} if has_dpop and status == "401" else {})}
    if status == "503":
        header = {"description": "Seconds.", "required": True, "schema": {"type": "integer", "minimum": 1}}
        return {"Retry-After": header}
    return {}
