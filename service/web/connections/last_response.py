"""Announces in a response that the connection ends with it (RFC 9112 section 9.6)."""

from __future__ import annotations

import re

_FIELD = re.compile(rb"\r\nConnection:[^\r]*", re.IGNORECASE)
_FIELD_LINE = b"\r\nConnection: close"
_END_OF_HEADER = b"\r\n\r\n"


def announce_close(data: bytes | memoryview) -> bytes | None:
    """Return the bytes of a response with the header field ``Connection: close``; None if they are no whole header."""
    header, end, body = bytes(data).partition(_END_OF_HEADER)
    return _FIELD.sub(b"", header) + _FIELD_LINE + end + body if end else None
