"""Reading a NumericDate (RFC 7519 section 2) that somebody else wrote."""

from __future__ import annotations

import math


def moment_of(value: object) -> float | None:
    """Return a moment in seconds since the epoch, None for what is no finite number: a bool is none either."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
