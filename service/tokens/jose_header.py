"""The JOSE header of a JWS (RFC 7515 section 4)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens.claim_rules import ClaimRules
from service.tokens.claims import shorten

_MAX_KID = 1024
"""Characters of a key ID; more than any issuer uses."""

_FORBIDDEN_PARAMETERS = {
    "crit": "no extension is supported",
    "b64": "an unencoded payload is ambiguous",
    "zip": "compression is for encrypted tokens, and a small token could decompress to a huge one",
}
_OKTA_ORG_TYPE = "okta-internal-at+jwt"
_ACCESS_TOKEN_TYPES = frozenset({"", "jwt", "at+jwt"})
_STRICT_TYPES = frozenset({"at+jwt"})


class JOSEHeader(NamedTuple):
    """A parsed, unverified JOSE header; tokens with the same header share one object."""

    parameters: Mapping[str, Any]
    alg: str | None
    """The algorithm, or None if it is missing or not a string."""
    kid: str | None
    """The key ID, or None if it is missing, too long or not a string."""
    typ: str | None
    """The type in lower case without ``application/``, "" if it is missing, or None if it is empty or no string."""
    forbidden: str | None
    """The first forbidden parameter, or None."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> JOSEHeader:
        """Return the header with these parameters, without checking it; see :func:`check_header`."""
        alg, kid = parameters.get("alg"), parameters.get("kid")
        return cls(
            parameters=MappingProxyType(dict(parameters)),
            alg=alg if isinstance(alg, str) else None,
            kid=kid if isinstance(kid, str) and len(kid) <= _MAX_KID else None,
            typ=_comparable(parameters["typ"]) if "typ" in parameters else "",
            forbidden=next((name for name in _FORBIDDEN_PARAMETERS if name in parameters), None),
        )

    @property
    def is_of_okta_org_token(self) -> bool:
        """Whether the type is that of an access token of an Okta org server."""
        return self.typ == _OKTA_ORG_TYPE

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.parameters)!r})"


def check_type(header: JOSEHeader, rules: ClaimRules) -> None:
    """Reject a JWT whose type is not that of an access token (RFC 8725 section 3.11, RFC 9068 section 4).

    Okta sends no ``typ`` and many issuers send ``JWT``, so these are accepted unless RFC 9068 is required.
    """
    accepted = _STRICT_TYPES if rules.requires_rfc9068 else _ACCESS_TOKEN_TYPES
    if header.typ in accepted:
        return
    if header.is_of_okta_org_token:
        detail = "a token of an Okta org server, which only Okta can validate; use a custom authorization server"
    else:
        typ = header.parameters.get("typ", "")
        detail = f"expected {' or '.join(filter(None, sorted(accepted)))}, found {shorten(typ)}"
    raise InvalidToken(Reason.UNSUPPORTED_TYPE, detail, claim="typ")


def check_header(header: JOSEHeader, *, algorithms: Container[str]) -> tuple[str, str | None]:
    """Return the algorithm and the key ID of a header.

    ``jku``, ``x5u``, ``x5c`` and ``jwk`` are ignored: an attacker could sign a token with a key of their own
    and put that key, or its URL, into the header (RFC 8725 section 3.10).

    Raises:
        InvalidToken: The algorithm is not allowed, the key ID is malformed, or a parameter is forbidden.
    """
    if header.forbidden is not None:
        raise InvalidToken(Reason.CRITICAL_HEADER, _FORBIDDEN_PARAMETERS[header.forbidden], claim=header.forbidden)
    if header.alg is None or header.alg not in algorithms:
        raise InvalidToken(Reason.UNSUPPORTED_ALGORITHM, f"expected one of {algorithms}", claim="alg")
    if header.kid is None and "kid" in header.parameters:
        raise InvalidToken(Reason.MALFORMED_TOKEN, f"expected a string of at most {_MAX_KID} characters", claim="kid")
    return header.alg, header.kid


def _comparable(typ: object) -> str | None:
    """Return a type in lower case and without its prefix, for comparison (RFC 7515 section 4.1.9)."""
    return (typ.lower().removeprefix("application/") or None) if isinstance(typ, str) else None
