"""Names for what differs from run to run, so that an answer can be compared and printed."""

from __future__ import annotations

import re
from typing import Any

# Each stands alone: random text may hold what looks like the beginning of something else.
PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(?<![\w%-]){pattern}(?![\w%-])"), name)
    for pattern, name in (
        (r"ey[\w-]{10,}\.[\w-]+\.[\w-]*", "{jwt}"),
        (r"oae[\w-]{22}", "{error id}"),
        (r"oar[A-Za-z0-9]{17}", "{refresh token id}"),
        (r"[\w-]{300,}", "{modulus}"),
        (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "{uuid}"),
        (r"[0-9a-f]{32}", "{32 hex digits}"),
        (r"[\w-]{43}", "{43 characters}"),
        (r"[A-Z]{8}", "{8 letters}"),
    )
)


def mask(value: Any, org: str) -> Any:
    """Return a value with names in the place of what is random, and ``{org}`` in that of the issuer's URL."""
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
