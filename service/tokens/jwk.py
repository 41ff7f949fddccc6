"""An issuer's key set: which public keys it has, and which of them may verify a given token (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.tokens import encoding
from service.tokens.algorithms import ALGORITHMS, VerificationKey

MAX_CANDIDATES = 4
"""How many keys are tried for one token; each costs a signature check, so the sender must not choose the number."""

_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_RSA_BITS = range(2048, 8192 + 1)
_CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class JWK:
    """One public key, and what it is allowed to verify."""

    kid: str | None
    algorithms: frozenset[str]
    key: VerificationKey = field(repr=False)

    @classmethod
    def read(cls, parameters: object) -> JWK:
        """Return the key that a member of ``keys`` describes (RFC 7517 section 4, RFC 7518 section 6).

        Raises:
            ValueError: The key is malformed, too weak, private, or not meant for verifying what we verify.
        """
        if not isinstance(parameters, dict):
            raise ValueError("a key is a JSON object")
        if leaked := _PRIVATE_MEMBERS & parameters.keys():
            # Whoever can read the set can sign with this key: what it verifies proves nothing.
            raise ValueError(f"the key publishes private members: {', '.join(sorted(leaked))}")
        kid = parameters.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise ValueError("kid is text")
        _check_purpose(parameters)
        kty, crv = parameters.get("kty"), parameters.get("crv")
        algorithms = frozenset(
            name
            for name, algorithm in ALGORITHMS.items()
            if algorithm.kty == kty and (algorithm.crv is None or algorithm.crv == crv)
        )
        if "alg" in parameters:  # one key, one algorithm (RFC 8725 section 3.1)
            algorithms &= {parameters["alg"]} if isinstance(parameters["alg"], str) else frozenset()
        if not algorithms:
            raise ValueError("kty, crv and alg name no algorithm that is verified here")
        try:
            return cls(kid=kid, algorithms=algorithms, key=_READERS[str(kty)](parameters))
        except UnsupportedAlgorithm as exc:
            raise ValueError("the key is of a kind that the crypto library cannot use") from exc


@dataclass(frozen=True, kw_only=True, slots=True)
class KeySet:
    """What an issuer's ``jwks_uri`` said: the keys that we can use, and why we skipped the others."""

    keys: tuple[JWK, ...]
    skipped: tuple[str, ...] = ()

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> KeySet:
        """Return the usable keys of a JWK Set; an odd one is skipped and never spoils the rest (RFC 7517 section 5).

        Raises:
            ValueError: The document is no JWK Set, or no key in it can be used.
        """
        members = document.get("keys")
        if not isinstance(members, list):
            raise ValueError("the key set has no list named keys")
        keys: list[JWK] = []
        skipped: list[str] = []
        for member in members:
            try:
                keys.append(JWK.read(member))
            except ValueError as exc:
                skipped.append(str(exc))
        if not keys:
            raise ValueError(f"the key set has no usable key among {len(members)}")
        return cls(keys=tuple(keys), skipped=tuple(skipped))

    def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header; none means that we do not know its key.

        ``kid`` is a hint and not a promise of uniqueness (RFC 7517 section 4.5): keys of another type
        under the same one are left out, and without a ``kid`` the fitting keys are tried, a few at most.
        """
        fitting = [key for key in self.keys if algorithm in key.algorithms and (kid is None or key.kid == kid)]
        return fitting[:MAX_CANDIDATES]


def _check_purpose(parameters: Mapping[str, Any]) -> None:
    """Refuse keys for encryption: a signature under one is at best a mistake (RFC 7517 sections 4.2 and 4.3)."""
    if parameters.get("use", "sig") != "sig":
        raise ValueError("use is not sig")
    operations = parameters.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("key_ops does not contain verify")


def _read_rsa(parameters: Mapping[str, Any]) -> VerificationKey:
    key = rsa.RSAPublicNumbers(e=_integer(parameters, "e"), n=_integer(parameters, "n")).public_key()
    if key.key_size not in _RSA_BITS:
        # Shorter ones can be factored; longer ones make each signature check a burden (RFC 7518 section 3.3).
        raise ValueError(f"an RSA key has {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits, not {key.key_size}")
    return key


def _read_ec(parameters: Mapping[str, Any]) -> VerificationKey:
    curve, size = _CURVES[parameters["crv"]]
    x, y = _octets(parameters, "x", size), _octets(parameters, "y", size)
    # Building the key checks that the point lies on its curve.
    return ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve).public_key()


def _read_okp(parameters: Mapping[str, Any]) -> VerificationKey:
    return Ed25519PublicKey.from_public_bytes(_octets(parameters, "x", 32))


_READERS = {"RSA": _read_rsa, "EC": _read_ec, "OKP": _read_okp}


def _octets(parameters: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    text = parameters.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing or not text")
    octets = encoding.decode_base64url(text.encode("ascii"))
    if size is not None and len(octets) != size:
        raise ValueError(f"{name} has {size} bytes, not {len(octets)}")
    return octets


def _integer(parameters: Mapping[str, Any], name: str) -> int:
    octets = _octets(parameters, name)
    if len(octets) > (_RSA_BITS.stop // 8) + 1:
        raise ValueError(f"{name} is too long")
    return int.from_bytes(octets)
