"""Compact JWSs put together by hand, byte by byte: only for tokens that are spoilt on purpose.

A JOSE library refuses to make most of these, which is to its credit; everything else is signed in `jose`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any


def b64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact_json(members: Mapping[str, Any]) -> bytes:
    """Return JSON as Okta writes it, and NaN or Infinity where the members hold them."""
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


def assemble(header: bytes, payload: bytes, sign: Callable[[bytes], bytes]) -> str:
    """Return a token of these very bytes, with a signature that is right for them."""
    signing_input = f"{b64url(header)}.{b64url(payload)}"
    return f"{signing_input}.{b64url(sign(signing_input.encode()))}"


def no_signature(_signing_input: bytes) -> bytes:
    """Return the empty signature of an unsecured JWS (RFC 7515 appendix A.5)."""
    return b""
