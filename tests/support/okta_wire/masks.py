"""Names for what differs from run to run, so that an answer can be compared and printed."""

from __future__ import annotations

import re
from typing import Any

PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"ey[\w-]{10,}\.[\w-]+\.[\w-]*", "{jwt}"),
        (r"\boae[\w-]{22}", "{error id}"),
        (r"\boar[A-Za-z0-9]{17}", "{refresh token id}"),
        (r"[\w-]{300,}", "{modulus}"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "{uuid}"),
        (r"(?<![\w-])[0-9a-f]{32}(?![\w-])", "{32 hex digits}"),
        (r"(?<![\w-])[\w-]{43}(?![\w-])", "{43 characters}"),
        (r"(?<![\w%])[A-Z]{8}(?![\w%])", "{8 letters}"),
    )
)


def mask(value: Any, org: str) -> Any:
    """Return a value with names in the place of what is random, and `{org}` in that of the issuer's URL."""
    if isinstance(value, dict):
        return {name: mask(inner, org) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [mask(inner, org) for inner in value]
    if not isinstance(value, str):
        return value
    text = value.replace(org, "{org}")
    for pattern, name in PATTERNS:
        text = pattern.sub(name, text)
    return text
