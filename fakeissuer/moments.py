"""Reading a number that somebody else wrote, a NumericDate (RFC 7519 section 2) above all."""

from __future__ import annotations

import math


def moment_of(value: object) -> float | None:
    """Return a number of seconds, None for what is no finite number: a bool is none either."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:  # an integer may have more digits than any float
        return None
    return seconds if math.isfinite(seconds) else None
