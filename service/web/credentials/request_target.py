"""Finds what two programs could read differently in the target of a request (RFC 9112 section 3.2, RFC 3986 section 6).

A proxy chooses requirements by the path, and the application behind it chooses what it serves: a path that one of them
decodes, or resolves, and the other does not, is a way around the requirements.
"""

from __future__ import annotations

import re
import urllib.parse

_PATH_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,=:@/%\[\]|]*", re.ASCII)
"""Those of RFC 3986 without ``;``, and three more that browsers do not encode."""
_QUERY_CHARACTERS = re.compile(r"[\x21\x22\x24-\x7e]*", re.ASCII)
"""All that are visible but ``#``."""
_ENCODED = re.compile(r"%([0-9A-Fa-f]{2})?", re.ASCII)
_ENCODED_TWICE = re.compile(r"%25[0-9A-Fa-f]{2}", re.ASCII)
_NEVER_ENCODED = re.compile(r"[A-Za-z0-9\-._~/\\;#?]", re.ASCII)
"""Letters and the like, whose encoding hides them from a comparison, and delimiters, which are none when encoded."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def find_ambiguity(target: str) -> str | None:
    """Return what is ambiguous in a request target, a path that a query may follow; None if nothing is."""
    path, _, query = target.partition("?")
    if not path.startswith("/"):
        return "it does not begin with a slash"
    if not _PATH_CHARACTERS.fullmatch(path):
        return "its path contains a semicolon, a backslash, or a character that must be percent-encoded"
    if not _QUERY_CHARACTERS.fullmatch(query):
        return "its query contains a character that must be percent-encoded"
    segments = path.split("/")[1:]
    if "" in segments[:-1]:
        return "its path contains two slashes in a row"
    if not {".", ".."}.isdisjoint(segments):
        return "its path contains a dot segment"
    return _find_ambiguous_encoding(path)


def _find_ambiguous_encoding(path: str) -> str | None:
    for code in _ENCODED.findall(path):
        if not code:
            return "its path contains a percent sign that encodes nothing"
        if _NEVER_ENCODED.fullmatch(chr(int(code, 16))):
            return f"its path contains %{code}, which may not be percent-encoded"
    if _ENCODED_TWICE.search(path):
        return "its path is percent-encoded twice"
    try:
        decoded = urllib.parse.unquote(path, errors="strict")
    except UnicodeDecodeError:
        return "its path encodes bytes that are not UTF-8"
    return "its path encodes a control character" if _CONTROL.search(decoded) else None
