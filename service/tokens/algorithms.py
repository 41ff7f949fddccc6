"""The supported signature algorithms, each with its key type (RFC 7518 section 3.1, RFC 8037, RFC 9864).

Symmetric algorithms and ``none`` are absent, so neither a setting nor a token can select them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import Algorithm as Verifier
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm

VerificationKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


class SignatureAlgorithm(NamedTuple):
    """A registered algorithm, and the only type of key that it may be used with."""

    verifier: Verifier
    kty: str
    crv: str | None = None
    signature_size: int | None = None
    """Bytes of a signature, or None for RSA, where the length is that of the key."""


_SHA256, _SHA384, _SHA512 = RSAAlgorithm.SHA256, RSAAlgorithm.SHA384, RSAAlgorithm.SHA512

ALGORITHMS: Mapping[str, SignatureAlgorithm] = MappingProxyType(
    {
        "RS256": SignatureAlgorithm(RSAAlgorithm(_SHA256), "RSA"),
        "RS384": SignatureAlgorithm(RSAAlgorithm(_SHA384), "RSA"),
        "RS512": SignatureAlgorithm(RSAAlgorithm(_SHA512), "RSA"),
        "PS256": SignatureAlgorithm(RSAPSSAlgorithm(_SHA256), "RSA"),
        "PS384": SignatureAlgorithm(RSAPSSAlgorithm(_SHA384), "RSA"),
        "PS512": SignatureAlgorithm(RSAPSSAlgorithm(_SHA512), "RSA"),
        "ES256": SignatureAlgorithm(ECAlgorithm(_SHA256), "EC", "P-256", 64),
        "ES384": SignatureAlgorithm(ECAlgorithm(_SHA384), "EC", "P-384", 96),
        "ES512": SignatureAlgorithm(ECAlgorithm(_SHA512), "EC", "P-521", 132),
        "EdDSA": SignatureAlgorithm(OKPAlgorithm(), "OKP", "Ed25519", 64),
        "Ed25519": SignatureAlgorithm(OKPAlgorithm(), "OKP", "Ed25519", 64),
    }
)
