"""The JWK thumbprint of a public key (RFC 7638)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from service.tokens.encoding import encode_base64url

_REQUIRED_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}
"""The members of each key type that RFC 7638 section 3.2 and RFC 8037 section 2 name, in their order."""


def jwk_thumbprint(parameters: Mapping[str, Any]) -> str:
    """Return the SHA-256 thumbprint of a key in base64url (RFC 7638 section 3).

    Args:
        parameters: A public key that :meth:`service.tokens.jwk.JWK.read` accepts.
    """
    members = {name: parameters[name] for name in _REQUIRED_MEMBERS[parameters["kty"]]}
    return encode_sha256(json.dumps(members, separators=(",", ":")).encode())


def encode_sha256(data: bytes) -> str:
    """Return the SHA-256 hash of some bytes in base64url without padding (RFC 7515 section 2)."""
    return encode_base64url(hashlib.sha256(data).digest())
