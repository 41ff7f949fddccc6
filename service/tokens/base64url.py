"""Base64url without padding, where one text stands for one value (RFC 7515 section 2, RFC 4648 section 3.5)."""

from __future__ import annotations

import binascii

__all__ = ["decode"]

_INVALID = b"!"  # what the decoder refuses in its strict mode
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_BASE64 = bytes(
    {ord("-"): ord("+"), ord("_"): ord("/")}.get(octet, octet) if octet in _ALPHABET else _INVALID[0]
    for octet in range(256)
)
# By the length of the last group: what stands behind it to fill it up, and the characters it may end in, which are
# those whose unused bits are zero.
_PADDING = {0: b"", 2: b"==", 3: b"="}
_ENDINGS = {0: frozenset(_ALPHABET), 2: frozenset(_ALPHABET[::16]), 3: frozenset(_ALPHABET[::4])}


def decode(text: bytes) -> bytes:
    """Return the bytes that a base64url text stands for.

    Raises:
        ValueError: The text has padding, white space, a character outside the alphabet, an impossible length,
            or unused bits that are not zero.
    """
    if not text:
        return b""
    group = len(text) % 4
    # Decoders ignore unused bits; then many texts would be one token, and a token that was refused or revoked
    # under one spelling would be good under another.
    if group == 1 or text[-1] not in _ENDINGS[group]:
        raise ValueError("the text is not canonical base64url")
    try:
        return binascii.a2b_base64(text.translate(_TO_BASE64) + _PADDING[group], strict_mode=True)
    except binascii.Error:
        raise ValueError("the text is not base64url") from None
