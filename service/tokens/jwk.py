"""Public keys as JWKs: their parsing, and the reasons why one cannot be used (RFC 7517 section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.tokens import encoding
from service.tokens.algorithms import ALGORITHMS, VerificationKey
from service.tokens.claim_rules import shorten

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = range(2048, 8192 + 1)
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class JWK:
    """A public key, and the algorithms that it may be used with."""

    kid: str | None
    algorithms: frozenset[str]
    key: VerificationKey = field(repr=False)

    @classmethod
    def read(cls, parameters: object) -> JWK:
        """Return the key in an element of ``keys`` (RFC 7517 section 4, RFC 7518 section 6).

        Raises:
            ValueError: The key is malformed, too weak, private, for another purpose, or of an unsupported type.
        """
        if not isinstance(parameters, dict):
            raise ValueError("it is not a JSON object")
        parameters = {name: value for name, value in parameters.items() if value is not None}  # null is no parameter
        if leaked := _PRIVATE_MEMBERS & parameters.keys():
            # Every reader of the key set could sign tokens with this key.
            kind = "is symmetric" if "k" in leaked else f"has private members ({', '.join(sorted(leaked))})"
            raise ValueError(f"it {kind}, so that every reader of the key set could sign tokens; replace it")
        kid = parameters.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise ValueError(f"kid is {shorten(kid)}, which is not a string")
        _check_purpose(parameters)
        algorithms = _algorithms(parameters)
        try:
            return cls(kid=kid, algorithms=algorithms, key=_READERS[parameters["kty"]](parameters))
        except UnsupportedAlgorithm as exc:
            raise ValueError("the crypto library does not support this type of key") from exc


def _check_purpose(parameters: Mapping[str, Any]) -> None:
    """Reject keys that are not for signatures (RFC 7517 sections 4.2 and 4.3)."""
    if (use := parameters.get("use", "sig")) != "sig":
        raise ValueError(f"use is {shorten(use)} instead of 'sig'")
    operations = parameters.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("key_ops does not contain verify")


def _algorithms(parameters: Mapping[str, Any]) -> frozenset[str]:
    """Return the algorithms for the type of a key (RFC 7518 section 3.1)."""
    if "kty" not in parameters:
        raise ValueError("kty is missing")
    kty, crv = parameters["kty"], parameters.get("crv")
    of_type = {name: algorithm for name, algorithm in ALGORITHMS.items() if algorithm.kty == kty}
    if not of_type:
        raise ValueError(f"kty is {shorten(kty)}; supported are {', '.join(_READERS)}")
    of_curve = frozenset(name for name, row in of_type.items() if row.crv is None or row.crv == crv)
    if not of_curve:
        curves = sorted({str(row.crv) for row in of_type.values()})
        found = f"crv is {shorten(crv)}" if "crv" in parameters else "crv is missing"
        raise ValueError(f"{found}; supported are {', '.join(curves)}")
    if "alg" not in parameters:
        return of_curve
    alg = parameters["alg"]  # one key, one algorithm (RFC 8725 section 3.1)
    if not isinstance(alg, str) or alg not in of_curve:
        raise ValueError(f"alg is {shorten(alg)}; expected one of {', '.join(sorted(of_curve))}, or none")
    return frozenset({alg})


def _read_rsa(parameters: Mapping[str, Any]) -> VerificationKey:
    key = rsa.RSAPublicNumbers(n=_integer(parameters, "n"), e=_integer(parameters, "e")).public_key()
    if key.key_size not in _RSA_BITS:
        # Shorter keys can be factored (RFC 7518 section 3.3); longer ones make verification slow.
        raise ValueError(f"an RSA key has {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits, not {key.key_size}")
    return key


def _read_ec(parameters: Mapping[str, Any]) -> VerificationKey:
    curve, size = _CURVES[parameters["crv"]]
    x, y = _octets(parameters, "x", size), _octets(parameters, "y", size)
    try:
        # public_key() checks that the point is on its curve.
        return ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve).public_key()
    except ValueError:
        raise ValueError(f"the point (x, y) is not on {parameters['crv']}") from None


def _read_okp(parameters: Mapping[str, Any]) -> VerificationKey:
    return Ed25519PublicKey.from_public_bytes(_octets(parameters, "x", 32))


_READERS = {"RSA": _read_rsa, "EC": _read_ec, "OKP": _read_okp}


def _octets(parameters: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    text = parameters.get(name)
    if text is None:
        # RFC 7517 section 4.7: a certificate repeats the key that the other members represent, and does not replace it.
        hint = "; x5c only repeats a key, so the issuer must publish its members, too" if "x5c" in parameters else ""
        raise ValueError(f"{name} is missing{hint}")
    if not isinstance(text, str):
        raise ValueError(f"{name} is not a string")
    try:
        octets = encoding.decode_base64url(text.encode("ascii"))
    except ValueError:
        raise ValueError(f"{name} {_explain_encoding(text)}") from None
    if size is not None and len(octets) != size:
        raise ValueError(f"{name} has {len(octets)} bytes; expected {size}")
    return octets


def _explain_encoding(text: str) -> str:
    """Return how a text differs from base64url (RFC 7515 section 2)."""
    if text.endswith("="):
        return "has padding (=), which base64url has not"
    if any(character.isspace() for character in text):
        return "contains white space"
    return "is base64, with + or /, instead of base64url" if {"+", "/"} & set(text) else "is not canonical base64url"


def _integer(parameters: Mapping[str, Any], name: str) -> int:
    octets = _octets(parameters, name)
    if len(octets) > (_RSA_BITS.stop // 8) + 1:
        raise ValueError(f"{name} is too long")
    return int.from_bytes(octets)
