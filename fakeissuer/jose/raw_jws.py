"""Compact JWS from raw bytes, malformed ones included (RFC 7515 section 7.1)."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Iterable
from typing import Any

Signer = Callable[[bytes], bytes]
"""Gives the signature over the bytes of a signing input."""


class RawJSON(str):
    """JSON text that goes into a token as it is: numbers and names that no encoder would write."""

    __slots__ = ()


def json_object(members: Iterable[tuple[str, Any]]) -> bytes:
    """Return a JSON object of these members, even if two have one name; NaN stays what Python calls it."""
    texts = (f"{_json(name)}:{value if isinstance(value, RawJSON) else _json(value)}" for name, value in members)
    return ("{" + ",".join(texts) + "}").encode()


def encode_compact(header: bytes, payload: bytes, sign: Signer) -> str:
    """Return a token of these very bytes, with a signature that is right for them."""
    return signed(f"{base64url(header)}.{base64url(payload)}", sign)


def signed(signing_input: str, sign: Signer) -> str:
    """Return a signing input, whatever stands in it, with its signature."""
    return f"{signing_input}.{base64url(sign(signing_input.encode()))}"


def no_signature(_signing_input: bytes) -> bytes:
    """Return the empty signature of an unsecured JWS (RFC 7515 appendix A.5)."""
    return b""


def hs256(secret: bytes) -> Signer:
    """Return what signs with HMAC and SHA-256, keyed by whatever bytes an attacker would choose."""
    return lambda signing_input: hmac.digest(secret, signing_input, "sha256")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def base64url(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
