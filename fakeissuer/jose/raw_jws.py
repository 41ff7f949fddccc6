"""Compact JWS from raw bytes, malformed ones included (RFC 7515 section 7.1)."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Callable, Iterable
from typing import Any

Signer = Callable[[bytes], bytes]
"""Returns the signature of a signing input."""


class RawJSON(str):
    """JSON text that is inserted unchanged, such as numbers that no encoder writes."""

    __slots__ = ()


def json_object(members: Iterable[tuple[str, Any]]) -> bytes:
    """Return a JSON object of these members, including duplicates; NaN is written as in Python."""
    texts = (f"{_json(name)}:{value if isinstance(value, RawJSON) else _json(value)}" for name, value in members)
    return ("{" + ",".join(texts) + "}").encode()


def encode_compact(header: bytes, payload: bytes, sign: Signer) -> str:
    """Return a token of exactly these bytes with a correct signature."""
    return signed(f"{base64url(header)}.{base64url(payload)}", sign)


def signed(signing_input: str, sign: Signer) -> str:
    """Return a signing input with its signature."""
    return f"{signing_input}.{base64url(sign(signing_input.encode()))}"


def no_signature(_signing_input: bytes) -> bytes:
    """Return the empty signature of an unsecured JWS (RFC 7515 appendix A.5)."""
    return b""


def hs256(secret: bytes) -> Signer:
    """Return an HMAC-SHA-256 signer with these bytes as its key."""
    return lambda signing_input: hmac.digest(secret, signing_input, "sha256")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def base64url(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes that a text in base64url without padding encodes.

    Raises:
        ValueError: The text has another character, which the standard decoder would ignore: two different texts would
            then be the same JWT.
    """
    if not text.isascii() or set("+/=") & set(text):
        raise ValueError("this is not base64url")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as exc:
        raise ValueError("this is not base64url") from exc
