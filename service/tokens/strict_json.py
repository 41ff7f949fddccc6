"""JSON as a token may carry it: one object, in UTF-8, read in one way (RFC 7519 section 7.2, RFC 8725 section 3.7).

The standard library's reader guesses UTF-16, takes NaN, and lets the last of two equal names win; jiter does none
of this, bounds the depth at 200, and is faster.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import jiter


def read_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that the bytes hold.

    Raises:
        ValueError: They hold something else, or an object that two readers could understand in two ways.
    """
    # A name that stands twice is refused: one reader takes the first, another the last, and an attacker picks both.
    value = jiter.from_json(data, allow_inf_nan=False, catch_duplicate_keys=True)
    if not isinstance(value, dict):
        raise ValueError("the JSON text is not an object")
    _check_finite(value.values())
    return value


def _check_finite(values: Iterable[Any]) -> None:
    """Refuse 1e400, which is valid JSON, parses to infinity, and makes an ``exp`` that never comes."""
    for value in values:
        kind = value.__class__
        if kind is str or kind is int:  # nearly all there is in a token
            continue
        if kind is float:
            if not math.isfinite(value):
                raise ValueError("the JSON text has a number that is too large")
        elif kind is dict:
            _check_finite(value.values())
        elif kind is list:
            _check_finite(value)
