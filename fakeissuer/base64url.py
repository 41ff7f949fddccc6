"""Base64url without padding, as everything of JOSE is written (RFC 7515 section 2)."""

from __future__ import annotations

import base64


def base64url(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
