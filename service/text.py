"""Text for people: messages show every character of a value, and name the nearest known word."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_USER_INFORMATION = re.compile(r"(:/+)\S*@")


def escape_unprintable(text: str) -> str:
    """Return a text in one line, with control, format and separator characters escaped as in a Python literal.

    Otherwise a value could start a line that looks like another message, send escape sequences to the terminal
    (U+001B, U+009B), or reverse the order of the characters after it (U+202E).
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def hide_user_information(text: str) -> str:
    """Return a text in which each URL has ``(hidden)`` in place of its user and password (RFC 3986 section 3.2.1)."""
    return _USER_INFORMATION.sub(r"\1(hidden)@", text)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the known one that is nearest, or nothing if none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
