"""Authenticates the values of the shared cache with HMAC-SHA256 (RFC 2104), so that an attacker cannot write them."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

_MAC_LENGTH = 64
"""Characters; SHA-256 in hexadecimal."""


class ValueAuthenticator:
    """Seals the values of named keys.

    Args:
        key: The secret key, the same in every process that shares the cache.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def key_id(self) -> str:
        """A name of the key that reveals nothing about it; processes with the same key have the same ID."""
        return self.derive_key("key ID").hex()[:8]

    def derive_key(self, purpose: str) -> bytes:
        """Return a key for another purpose, from which this key cannot be computed."""
        return hmac.new(self._key, b"key:" + purpose.encode(), hashlib.sha256).digest()

    def seal(self, name: str, value: Any) -> str:
        """Return a value that JSON can represent with its code for the key of the cache under which it is stored."""
        text = json.dumps(value, separators=(",", ":"))
        return self._code(name, text) + text

    def open(self, name: str, sealed: object) -> Any:
        """Return the value that was sealed for a key of the cache.

        The code covers the name: an attacker could otherwise copy the response to a valid token to the key of
        another token.

        Raises:
            ValueError: The value was not sealed with this key for this name.
        """
        if not isinstance(sealed, str):
            raise ValueError("the value is not sealed")
        code, text = sealed[:_MAC_LENGTH], sealed[_MAC_LENGTH:]
        if not hmac.compare_digest(code.encode("utf-8", "replace"), self._code(name, text).encode()):
            raise ValueError("the value was not sealed with this key for this name")
        return json.loads(text)

    def _code(self, name: str, text: str) -> str:
        message = b"\0".join((b"value", name.encode(), text.encode("utf-8", "surrogatepass")))
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()
