"""Strict reading and verifying of a compact JWS (RFC 7515 sections 5.2 and 7.1)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from service.errors import InvalidToken, Reason
from service.tokens import base64url, strict_json
from service.tokens.algorithms import ALGORITHMS
from service.tokens.jwk import JWK

__all__ = ["CompactJWS", "check_header", "verify"]

_MAX_KID = 1024
"""Characters of a key ID: more than any issuer uses, and little enough to compare and to count."""

_FORBIDDEN_PARAMETERS = {
    "crit": "extensions must be understood, and none are understood here",
    "b64": "an unencoded payload would be read in two ways",
    "zip": "compression belongs to encrypted tokens, and a small token could unpack to a huge one",
}


class CompactJWS(NamedTuple):
    """The parts of a compact JWS, read but not verified.

    A tuple and no dataclass, as are the types around it: one is made for every token that is judged,
    and a frozen dataclass takes four times as long to make.
    """

    header: Mapping[str, Any]
    payload: bytes
    signing_input: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}(header={dict(self.header)!r})"

    @classmethod
    def parse(cls, text: str) -> CompactJWS:
        """Return the parts of a text that is exactly three base64url parts, the first of them a JSON object.

        Verifies nothing: not the signature, and not what the header asks for.

        Raises:
            ValueError: The text is not a compact JWS.
        """
        octets = text.encode("ascii")
        if octets.count(b".") != 2:
            raise ValueError("a compact JWS has three parts")
        signing_input, _, signature = octets.rpartition(b".")
        header, _, payload = signing_input.partition(b".")
        return cls(_read_header(header), base64url.decode(payload), signing_input, base64url.decode(signature))


@lru_cache(maxsize=128)
def _read_header(encoded: bytes) -> Mapping[str, Any]:
    """Return a JOSE header; an issuer writes the same one into every token until its next rotation."""
    return MappingProxyType(strict_json.read_object(base64url.decode(encoded)))


def check_header(header: Mapping[str, Any], *, algorithms: Container[str]) -> tuple[str, str | None]:
    """Return the algorithm and the key ID that a header names, when it names nothing else that matters.

    ``jku``, ``x5u``, ``x5c`` and ``jwk`` are never looked at: a key that the token brings along,
    or an address that it names, proves only that the sender has a key (RFC 8725 section 3.10).

    Raises:
        InvalidToken: The algorithm is not allowed, the key ID is not text, or an extension is asked for.
    """
    if not header.keys().isdisjoint(_FORBIDDEN_PARAMETERS):
        name = next(name for name in _FORBIDDEN_PARAMETERS if name in header)
        raise InvalidToken(Reason.CRITICAL_HEADER, _FORBIDDEN_PARAMETERS[name], claim=name)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise InvalidToken(Reason.UNSUPPORTED_ALGORITHM, f"not among {algorithms}", claim="alg")
    kid = header.get("kid")
    if "kid" in header and not (isinstance(kid, str) and len(kid) <= _MAX_KID):
        raise InvalidToken(Reason.MALFORMED, f"expected text of at most {_MAX_KID} characters", claim="kid")
    return algorithm, kid


def verify(jws: CompactJWS, *, algorithm: str, keys: Sequence[JWK]) -> JWK:
    """Return the key that made the signature over the exact bytes that were sent (RFC 7515 section 5.2).

    Does not check that the algorithm was allowed (:func:`check_header`), nor any claim.

    Raises:
        InvalidToken: No key that may be used with the algorithm made this signature.
    """
    verifier, _, _, size = ALGORITHMS[algorithm]
    if size is None or len(jws.signature) == size:
        for key in keys:
            if algorithm in key.algorithms and verifier.verify(jws.signing_input, key.key, jws.signature):
                return key
    raise InvalidToken(Reason.BAD_SIGNATURE)
