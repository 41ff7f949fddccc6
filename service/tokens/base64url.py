"""Base64url without padding, where one text stands for one value (RFC 7515 section 2, RFC 4648 section 3.5)."""

from __future__ import annotations

import base64
import binascii

__all__ = ["decode"]


def decode(text: str) -> bytes:
    """Return the bytes that a base64url text stands for.

    Raises:
        ValueError: The text has padding, white space, a character outside the alphabet, an impossible length,
            or unused bits that are not zero.
    """
    try:
        encoded = text.encode("ascii")
        data = base64.urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("the text is not base64url") from None
    # Python's decoder drops what it does not know and ignores unused bits; then many texts would be one token, and
    # a token refused or revoked under one spelling would be good under another.
    if base64.urlsafe_b64encode(data).rstrip(b"=") != encoded:
        raise ValueError("the text is not canonical base64url")
    return data
