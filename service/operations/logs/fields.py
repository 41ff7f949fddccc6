"""The fields of a log record, as values that are safe in a line: no secret, no control character, no endless text."""

from __future__ import annotations

import contextlib
import itertools
import json
import logging
import math
import time
from collections.abc import Mapping
from typing import Any

MAX_TEXT = 2000
"""Characters of a message or a value; the rest is cut, so that a line usually fits into one write to a pipe."""
_MAX_DEPTH = 5
"""Levels of nested values; a value may contain itself."""
_MAX_ITEMS = 100
_MAX_BITS = 1024
"""Of an integer, which a reader of JSON may read as a float of 64 bits."""
_PARTS_THAT_NEED_CARE = ("\\u", "NaN", "Infinity", "{")
_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_SECRET_FIELDS = frozenset(
    {
        "access_token",
        "admin_token",
        "assertion",
        "authorization",
        "client_assertion",
        "client_secret",
        "code_verifier",
        "cookie",
        "dpop",
        "id_token",
        "password",
        "private_key",
        "proof",
        "refresh_token",
        "secret",
        "set_cookie",
        "token",
    }
)
_HIDDEN = "(hidden)"
_SECOND: list[tuple[int, str]] = [(-1, "")]
"""The last second for which a time was formatted, and its text."""


def format_time(seconds: float) -> str:
    """Return a time in UTC, such as ``2026-11-28T16:42:51.250Z`` (RFC 3339 section 5.6)."""
    second = math.floor(seconds)
    known, text = _SECOND[0]
    if second != known:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _SECOND[0] = second, text
    return f"{text}.{int(1000 * (seconds - second)):03d}Z"


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields that were added to a record by ``extra`` or a filter; credentials are hidden."""
    return {
        name: _HIDDEN if is_secret(name) else value
        for name, value in vars(record).items()
        if name not in _RECORD_ATTRIBUTES
    }


def is_secret(name: object) -> bool:
    """Return whether a field of this name contains a credential."""
    return str(name).lower().replace("-", "_") in _SECRET_FIELDS


def cut(text: str) -> str:
    """Return the start of a text that is longer than :data:`MAX_TEXT`, and its length."""
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}… ({len(text)} characters)"


def to_json(fields: Mapping[str, Any]) -> str:
    """Return a JSON object in one line of ASCII, whatever the values are (RFC 8259)."""
    with contextlib.suppress(TypeError, ValueError, RecursionError):
        line = json.dumps(fields)
        # Nearly always. Otherwise there may be a long text, an unpaired surrogate, no number of JSON, or a nested
        # object, in which there is a credential.
        if len(line) <= MAX_TEXT and not any(part in line[1:] for part in _PARTS_THAT_NEED_CARE):
            return line
    return json.dumps({_without_surrogates(as_text(name)): _plain(value, _MAX_DEPTH) for name, value in fields.items()})


def texts_to_json(texts: Mapping[str, str]) -> str:
    """Return a JSON object of long texts, which are not cut."""
    return json.dumps({name: _without_surrogates(text) for name, text in texts.items()})


def as_text(value: object) -> str:
    """Return ``str(value)``, cut; an object whose method fails is shown by its type."""
    try:
        return cut(str(value))
    except Exception:  # noqa: BLE001  # the class is not ours
        return f"({type(value).__name__})"


def _plain(value: object, depth: int) -> object:
    """Return a value that JSON has, with the same meaning if possible."""
    if value is None or isinstance(value, bool) or (type(value) is int and value.bit_length() < _MAX_BITS):
        return value
    if type(value) is float and math.isfinite(value):
        return value
    if depth > 0 and isinstance(value, Mapping):
        return {
            _without_surrogates(as_text(name)): _HIDDEN if is_secret(name) else _plain(each, depth - 1)
            for name, each in itertools.islice(value.items(), _MAX_ITEMS)
        }
    if depth > 0 and isinstance(value, list | tuple | set | frozenset):
        return [_plain(each, depth - 1) for each in itertools.islice(value, _MAX_ITEMS)]
    return _without_surrogates(as_text(value))


def _without_surrogates(text: str) -> str:
    """Return a text without unpaired surrogates, for which readers of JSON raise an error."""
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()
