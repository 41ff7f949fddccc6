"""JSON as a token may carry it: one object, in UTF-8, read in one way (RFC 7519 section 7.2, RFC 8725 section 3.7)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

__all__ = ["MAX_DEPTH", "read_object"]

MAX_DEPTH = 32
"""How deep arrays and objects may stand in one another; real claims need four or five."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


def read_object(data: bytes) -> dict[str, Any]:
    """Return the JSON object that the bytes hold.

    Raises:
        ValueError: They hold something else, or an object that two readers could understand in two ways.
    """
    # Without this line `json.loads` guesses UTF-16 and UTF-32: a second reading of the same signed bytes.
    text = data.decode("utf-8")
    _check_depth(text)
    value = _DECODER.decode(text)
    if not isinstance(value, dict):
        raise ValueError("the JSON text is not an object")
    if _SURROGATE.search(text):
        # Half a character passes every check and then breaks the log or the answer that repeats it.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    return value


def _check_depth(text: str) -> None:
    """Refuse brackets within brackets, with which a sender could exhaust the parser's stack."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # the common case costs two scans in C
    depth = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"the JSON text is nested more than {MAX_DEPTH} deep")
        elif character in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a name that stands twice: one reader takes the first, another the last, and an attacker picks both."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("the JSON text has the same name twice in one object")
    return value


def _finite(text: str) -> float:
    """Refuse 1e400, which is valid JSON, parses to infinity, and makes an `exp` that never comes."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the JSON text has a number that is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(f"the JSON text has {name}, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_finite, parse_constant=_no_constant)
