"""Formats untrusted values for a terminal: dates, durations, JSON, without secrets and control characters."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_UNITS = {"day": 86400, "hour": 3600, "minute": 60}
_MAX_VALUE_LENGTH = 160
_MIN_SECRET_LENGTH = 8
"""Characters; shorter pieces occur in ordinary words and reveal nothing."""
_JWT = re.compile(r"(?<![\w-])eyJ[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)


def escape_for_terminal(line: str) -> str:
    """Return a line with control characters escaped.

    The creator of a token chooses its content, and could clear the screen, overwrite the conclusion, or reverse the
    direction of writing so that one value looks like another.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in line)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return a text without these secrets and without anything that looks like a JWT."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET_LENGTH:
            text = text.replace(secret, "(hidden)")
    return _JWT.sub("(a token, hidden)", text)


def indent_json(members: Mapping[str, Any]) -> list[str]:
    """Return a JSON object as lines."""
    return json.dumps(dict(members), indent=2, ensure_ascii=False).split("\n")


def to_json(value: object) -> str:
    """Return a value as JSON on one line, truncated if it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_VALUE_LENGTH else f"{text[:_MAX_VALUE_LENGTH]}…"


def format_duration(seconds: float) -> str:
    """Return a number of seconds in the largest suitable unit."""
    amount = abs(seconds)
    unit, size = next(((unit, size) for unit, size in _UNITS.items() if amount >= 2 * size), ("second", 1))
    count = int(amount // size)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def format_date(date: float, now: float) -> str:
    """Return a NumericDate in UTC and relative to now; both arguments are seconds since the epoch."""
    try:
        utc = dt.datetime.fromtimestamp(date, dt.UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return "a date beyond the calendar"
    if abs(date - now) < 1:
        return f"{utc}, now"
    return f"{utc}, {format_duration(date - now)} ago" if date < now else f"{utc}, in {format_duration(date - now)}"
