"""Makes public keys as JWKs."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa


def encode(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def encode_integer(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))


def rsa_jwk(bits: int = 2048) -> dict[str, Any]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {"kty": "RSA", "n": encode_integer(numbers.n), "e": encode_integer(numbers.e)}


def ec_jwk() -> dict[str, Any]:
    numbers = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": encode(numbers.x.to_bytes(32)), "y": encode(numbers.y.to_bytes(32))}


def okp_jwk() -> dict[str, Any]:
    return {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()),
    }
