"""The JOSE header of a JWS: what a token says of how it was signed (RFC 7515 section 4)."""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from service.errors import InvalidToken, Reason

_MAX_KID = 1024
"""Characters of a key ID: more than any issuer uses, and little enough to compare and to count."""

_FORBIDDEN_PARAMETERS = {
    "crit": "extensions must be understood, and none are understood here",
    "b64": "an unencoded payload would be read in two ways",
    "zip": "compression belongs to encrypted tokens, and a small token could unpack to a huge one",
}
_OKTA_ORG_TYPE = "okta-internal-at+jwt"


class JOSEHeader(NamedTuple):
    """A JOSE header, read and not believed; one object serves every token that carries the same header."""

    parameters: Mapping[str, Any]
    alg: str | None
    """The algorithm that is named; None where none is, in text."""
    kid: str | None
    """The key ID; None where there is none, or one that :func:`check_header` refuses."""
    typ: str | None
    """The type as it is compared, in lower case and without ``application/``: "" where absent, None for no text."""
    forbidden: str | None
    """The first parameter that asks for what is never granted."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> JOSEHeader:
        """Return the header that these parameters make up; refuses none (:func:`check_header` does)."""
        alg, kid = parameters.get("alg"), parameters.get("kid")
        return cls(
            parameters=MappingProxyType(dict(parameters)),
            alg=alg if isinstance(alg, str) else None,
            kid=kid if isinstance(kid, str) and len(kid) <= _MAX_KID else None,
            typ=_comparable(parameters.get("typ", "")),
            forbidden=next((name for name in _FORBIDDEN_PARAMETERS if name in parameters), None),
        )

    @property
    def is_of_okta_org_token(self) -> bool:
        """Whether it has the type that Okta's org servers give to their own access tokens."""
        return self.typ == _OKTA_ORG_TYPE

    def __repr__(self) -> str:
        return f"{type(self).__name__}({dict(self.parameters)!r})"


def check_header(header: JOSEHeader, *, algorithms: Container[str]) -> tuple[str, str | None]:
    """Return the algorithm and the key ID that a header names, when it names nothing else that matters.

    ``jku``, ``x5u``, ``x5c`` and ``jwk`` are never looked at: a key that the token brings along,
    or an address that it names, proves only that the sender has a key (RFC 8725 section 3.10).

    Raises:
        InvalidToken: The algorithm is not allowed, the key ID is not text, or an extension is asked for.
    """
    if header.forbidden is not None:
        raise InvalidToken(Reason.CRITICAL_HEADER, _FORBIDDEN_PARAMETERS[header.forbidden], claim=header.forbidden)
    if header.alg is None or header.alg not in algorithms:
        raise InvalidToken(Reason.UNSUPPORTED_ALGORITHM, f"not among {algorithms}", claim="alg")
    if header.kid is None and "kid" in header.parameters:
        raise InvalidToken(Reason.MALFORMED_TOKEN, f"expected text of at most {_MAX_KID} characters", claim="kid")
    return header.alg, header.kid


def _comparable(typ: object) -> str | None:
    """Return a type as it is compared: in lower case, and without its prefix (RFC 7515 section 4.1.9)."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else None
