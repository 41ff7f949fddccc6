"""Strict parsing, header checks and verification of a compact JWS (RFC 7515 sections 4, 5.2 and 7.1)."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature

from service.errors import InvalidToken, Reason
from service.tokens import encoding
from service.tokens.algorithms import ALGORITHMS
from service.tokens.jose_header import FORBIDDEN_PARAMETERS, MAX_KID, JOSEHeader
from service.tokens.jwk import JWK


class CompactJWS(NamedTuple):
    """The parts of a compact JWS, parsed but not verified.

    A named tuple, because one is created for each token, and a frozen dataclass takes four times as long.
    """

    header: JOSEHeader
    payload: bytes
    signing_input: bytes
    signature: bytes

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.header!r})"

    @classmethod
    def parse(cls, text: str) -> CompactJWS:
        """Return the three base64url parts of a text; the first must be a JSON object.

        Neither the signature nor the header parameters are checked.

        Raises:
            ValueError: The text is not a compact JWS.
        """
        header, payload, signing_input, signature = split(text)
        return cls(
            _read_header(header),
            encoding.decode_base64url(payload),
            signing_input,
            encoding.decode_base64url(signature),
        )


def split(text: str) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the encoded header, payload, signing input and signature of a compact JWS (RFC 7515 section 7.1).

    Raises:
        ValueError: The text does not have three parts in ASCII.
    """
    octets = text.encode("ascii")
    if octets.count(b".") != 2:
        raise ValueError("a compact JWS has three parts")
    signing_input, _, signature = octets.rpartition(b".")
    header, _, payload = signing_input.partition(b".")
    return header, payload, signing_input, signature


@lru_cache(maxsize=128)
def _read_header(encoded: bytes) -> JOSEHeader:
    """Return a JOSE header; cached, since all tokens signed with one key have the same header."""
    return JOSEHeader.of(encoding.decode_json_object(encoding.decode_base64url(encoded)))


def check_header(header: JOSEHeader, *, algorithms: Container[str]) -> tuple[str, str | None]:
    """Return the algorithm and the key ID of a header.

    ``jku``, ``x5u``, ``x5c`` and ``jwk`` are ignored: an attacker could sign a token with a key of their own
    and put that key, or its URL, into the header (RFC 8725 section 3.10).

    Raises:
        InvalidToken: The algorithm is not allowed, the key ID is malformed, or a parameter is forbidden.
    """
    if header.forbidden is not None:
        raise InvalidToken(Reason.CRITICAL_HEADER, FORBIDDEN_PARAMETERS[header.forbidden], claim=header.forbidden)
    if header.alg is None or header.alg not in algorithms:
        raise InvalidToken(Reason.UNSUPPORTED_ALGORITHM, f"expected one of {algorithms}", claim="alg")
    if header.kid is None and header.parameters.get("kid") is not None:  # some libraries write null for no key ID
        raise InvalidToken(Reason.MALFORMED_TOKEN, f"expected a string of at most {MAX_KID} characters", claim="kid")
    return header.alg, header.kid


def verify(jws: CompactJWS, *, algorithm: str, keys: Sequence[JWK]) -> JWK:
    """Return the key that verifies the signature (RFC 7515 section 5.2).

    Does not check whether the algorithm is allowed (:func:`check_header`), nor any claim.

    Raises:
        InvalidToken: The signature matches none of the keys for the algorithm.
    """
    for key in keys:
        if algorithm in key.algorithms and is_signed_by(jws, key, algorithm):
            return key
    raise InvalidToken(Reason.BAD_SIGNATURE)


def is_signed_by(jws: CompactJWS, key: JWK, algorithm: str) -> bool:
    """Return whether a key, which fits the algorithm, has made the signature."""
    if ALGORITHMS[algorithm].signature_size not in (None, len(jws.signature)):
        return False
    try:
        ALGORITHMS[algorithm].verify(key.key, jws.signature, jws.signing_input)
    except InvalidSignature:
        return False
    return True
