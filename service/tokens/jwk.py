"""Key sets: parsing of public keys, and selection of the keys that may verify a token (RFC 7517)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from service.tokens import encoding
from service.tokens.algorithms import ALGORITHMS, VerificationKey
from service.tokens.issuer_identifier import find_tenant

MAX_CANDIDATES = 4
"""Keys tried for one token; bounded because each costs a signature verification."""

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
            raise ValueError("the key is not a JSON object")
        parameters = {name: value for name, value in parameters.items() if value is not None}  # null is no parameter
        if leaked := _PRIVATE_MEMBERS & parameters.keys():
            # Every reader of the key set could sign tokens with this key.
            raise ValueError(f"the key has private members: {', '.join(sorted(leaked))}")
        kid = parameters.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise ValueError("kid is not a string")
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
            raise ValueError("no supported algorithm fits its kty, crv and alg")
        try:
            return cls(kid=kid, algorithms=algorithms, key=_READERS[str(kty)](parameters))
        except UnsupportedAlgorithm as exc:
            raise ValueError("the crypto library does not support this type of key") from exc


@dataclass(frozen=True, kw_only=True, slots=True)
class KeySet:
    """The usable keys of an issuer, and the reasons why others were skipped."""

    keys: tuple[JWK, ...]
    skipped: tuple[str, ...] = ()
    by_kid: Mapping[str | None, list[JWK]] = field(init=False, repr=False, compare=False)
    """The keys by their ID, under None those without one."""

    def __post_init__(self) -> None:
        by_kid: dict[str | None, list[JWK]] = {}
        for key in self.keys:
            by_kid.setdefault(key.kid, []).append(key)
        object.__setattr__(self, "by_kid", by_kid)

    @classmethod
    def read(cls, document: Mapping[str, Any], *, issuer: str = "") -> KeySet:
        """Return the usable keys of a JWK Set; unusable keys are skipped (RFC 7517 section 5).

        Args:
            issuer: The issuer of the keys; those that Entra marks as keys of another tenant are skipped.

        Raises:
            ValueError: The document is not a JWK Set, or has no usable key.
        """
        members = document.get("keys")
        if not isinstance(members, list):
            raise ValueError("the key set has no list named keys")
        keys: list[JWK] = []
        skipped: list[str] = []
        for member in members:
            try:
                _check_tenant(member, issuer)
                keys.append(JWK.read(member))
            except ValueError as exc:
                skipped.append(str(exc))
        if not keys:
            raise ValueError(f"the key set has no usable key among {len(members)}")
        return cls(keys=tuple(keys), skipped=tuple(skipped))

    def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header, at most :data:`MAX_CANDIDATES`.

        ``kid`` need not be unique (RFC 7517 section 4.5), so keys for other algorithms are left out. Without a
        ``kid``, every key for the algorithm is a candidate.
        """
        candidates = self.keys if kid is None else self.by_kid.get(kid, ())
        return [key for key in candidates if algorithm in key.algorithms][:MAX_CANDIDATES]


def _check_tenant(parameters: object, issuer: str) -> None:
    """Reject a key of another Entra tenant.

    The key of personal accounts stands beside those of all tenants. Stolen, it would sign tokens of every tenant.
    """
    key_issuer = parameters.get("issuer") if isinstance(parameters, dict) else None
    tenant, own = find_tenant(str(key_issuer)), find_tenant(issuer)
    if tenant is not None and own is not None and tenant != own:
        raise ValueError("it is the key of another tenant")


def _check_purpose(parameters: Mapping[str, Any]) -> None:
    """Reject keys that are not for signatures (RFC 7517 sections 4.2 and 4.3)."""
    if parameters.get("use", "sig") != "sig":
        raise ValueError("use is not sig")
    operations = parameters.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise ValueError("key_ops does not contain verify")


def _read_rsa(parameters: Mapping[str, Any]) -> VerificationKey:
    key = rsa.RSAPublicNumbers(e=_integer(parameters, "e"), n=_integer(parameters, "n")).public_key()
    if key.key_size not in _RSA_BITS:
        # Shorter keys can be factored (RFC 7518 section 3.3); longer ones make verification slow.
        raise ValueError(f"an RSA key has {_RSA_BITS.start} to {_RSA_BITS.stop - 1} bits, not {key.key_size}")
    return key


def _read_ec(parameters: Mapping[str, Any]) -> VerificationKey:
    curve, size = _CURVES[parameters["crv"]]
    x, y = _octets(parameters, "x", size), _octets(parameters, "y", size)
    # public_key() checks that the point is on its curve.
    return ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve).public_key()


def _read_okp(parameters: Mapping[str, Any]) -> VerificationKey:
    return Ed25519PublicKey.from_public_bytes(_octets(parameters, "x", 32))


_READERS = {"RSA": _read_rsa, "EC": _read_ec, "OKP": _read_okp}


def _octets(parameters: Mapping[str, Any], name: str, size: int | None = None) -> bytes:
    text = parameters.get(name)
    if not isinstance(text, str):
        raise ValueError(f"{name} is missing or not a string")
    octets = encoding.decode_base64url(text.encode("ascii"))
    if size is not None and len(octets) != size:
        raise ValueError(f"{name} has {size} bytes, not {len(octets)}")
    return octets


def _integer(parameters: Mapping[str, Any], name: str) -> int:
    octets = _octets(parameters, name)
    if len(octets) > (_RSA_BITS.stop // 8) + 1:
        raise ValueError(f"{name} is too long")
    return int.from_bytes(octets)
