"""The JOSE header of a JWS (RFC 7515 section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

MAX_KID = 1024
"""Characters of a key ID; more than any issuer uses."""
FORBIDDEN_PARAMETERS: Mapping[str, str] = {
    "crit": "no extension is supported",
    "b64": "an unencoded payload is ambiguous",
    "zip": "compression is for encrypted tokens, and a small token could decompress to a huge one",
}
"""The parameters that no token may have, each with the reason."""

_OKTA_ORG_TYPE = "okta-internal-at+jwt"
_NO_COMPRESSION = ("zip", "NONE")
"""PingAM states in each of its tokens that it is not compressed."""


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
        """Return the header with these parameters, which :func:`~service.tokens.jws.check_header` checks."""
        alg, kid = parameters.get("alg"), parameters.get("kid")
        return cls(
            parameters=MappingProxyType(dict(parameters)),
            alg=alg if isinstance(alg, str) else None,
            kid=kid if isinstance(kid, str) and len(kid) <= MAX_KID else None,
            typ=_comparable(parameters["typ"]) if "typ" in parameters else "",
            forbidden=next((name for name in FORBIDDEN_PARAMETERS if _has(parameters, name)), None),
        )

    @property
    def is_of_okta_org_token(self) -> bool:
        """Whether the type is that of an access token of an Okta org server."""
        return self.typ == _OKTA_ORG_TYPE

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.parameters)!r})"


def _has(parameters: Mapping[str, Any], name: str) -> bool:
    return name in parameters and (name, parameters[name]) != _NO_COMPRESSION


def _comparable(typ: object) -> str | None:
    """Return a type in lower case and without its prefix, for comparison (RFC 7515 section 4.1.9)."""
    return (typ.lower().removeprefix("application/") or None) if isinstance(typ, str) else None
