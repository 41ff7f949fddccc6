"""The supported signature algorithms, each with its key type (RFC 7518 section 3.1, RFC 8037, RFC 9864).

Symmetric algorithms and ``none`` are absent, so neither a setting nor a token can select them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

VerificationKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class SignatureAlgorithm(NamedTuple):
    """A registered algorithm, and the only type of key that it may be used with."""

    verify: Callable[[Any, bytes, bytes], None]
    """Verifies with a key that a signature belongs to some data; raises :exc:`InvalidSignature` otherwise."""
    kty: str
    crv: str | None = None
    signature_size: int | None = None
    """Bytes of a signature, or None for RSA, where the length is that of the key."""


_SHA256, _SHA384, _SHA512 = hashes.SHA256(), hashes.SHA384(), hashes.SHA512()


def _rsa(padding: AsymmetricPadding, digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    def verify(key: RSAPublicKey, signature: bytes, data: bytes) -> None:
        key.verify(signature, data, padding, digest)

    return SignatureAlgorithm(verify, "RSA")


def _pss(digest: hashes.HashAlgorithm) -> SignatureAlgorithm:
    return _rsa(PSS(MGF1(digest), digest.digest_size), digest)


def _ecdsa(digest: hashes.HashAlgorithm, crv: str, *, size: int) -> SignatureAlgorithm:
    """Return an algorithm whose signatures are R and S, each of half the size (RFC 7518 section 3.4)."""
    scheme = ECDSA(digest)

    def verify(key: EllipticCurvePublicKey, signature: bytes, data: bytes) -> None:
        r, s = int.from_bytes(signature[: size // 2]), int.from_bytes(signature[size // 2 :])
        key.verify(encode_dss_signature(r, s), data, scheme)

    return SignatureAlgorithm(verify, "EC", crv, size)


def _verify_eddsa(key: Ed25519PublicKey, signature: bytes, data: bytes) -> None:
    key.verify(signature, data)


_ED25519 = SignatureAlgorithm(_verify_eddsa, "OKP", "Ed25519", 64)

ALGORITHMS: Mapping[str, SignatureAlgorithm] = MappingProxyType(
    {
        "RS256": _rsa(PKCS1v15(), _SHA256),
        "RS384": _rsa(PKCS1v15(), _SHA384),
        "RS512": _rsa(PKCS1v15(), _SHA512),
        "PS256": _pss(_SHA256),
        "PS384": _pss(_SHA384),
        "PS512": _pss(_SHA512),
        "ES256": _ecdsa(_SHA256, "P-256", size=64),
        "ES384": _ecdsa(_SHA384, "P-384", size=96),
        "ES512": _ecdsa(_SHA512, "P-521", size=132),
        "EdDSA": _ED25519,
        "Ed25519": _ED25519,
    }
)
