"""Normalization of HTTP URLs, so that two spellings of one URL are equal (RFC 3986 section 6.2)."""

from __future__ import annotations

import functools
import re
import urllib.parse

from service.urls import DEFAULT_PORTS

_URI = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+", re.ASCII)
"""The characters of a URI (RFC 3986 section 2); another one would be encoded by one program and not by the next."""
_ENCODED = re.compile("%(..)?")
_UNRESERVED = re.compile(r"[A-Za-z0-9\-._~]", re.ASCII)
_HEXADECIMAL = re.compile("[0-9A-Fa-f]{2}", re.ASCII)


@functools.lru_cache(maxsize=256)
def normalize_http_url(url: str) -> str:
    """Return a URL in the form that is equal for all its spellings, without its query and fragment.

    Scheme and host are written in lower case, and the default port is left out; encoded characters that need no
    encoding are decoded, and the segments ``.`` and ``..`` are removed (RFC 3986 sections 6.2.2 and 6.2.3).
    An encoded slash stays encoded: it is no separator, so decoding it would name another resource.

    Raises:
        ValueError: It is not an absolute URL with the scheme ``http`` or ``https``, or it has user information.
    """
    if not _URI.fullmatch(url):
        raise ValueError("the URL has characters that no URI has")
    parts = urllib.parse.urlsplit(url)
    host, port = parts.hostname, parts.port  # raises ValueError for a port that is no number
    if parts.scheme not in DEFAULT_PORTS or not host:
        raise ValueError("the URL is not absolute, or its scheme is neither http nor https")
    if "@" in parts.netloc:
        raise ValueError("the URL has user information")
    authority = f"[{host}]" if ":" in host else host
    if port is not None and port != DEFAULT_PORTS[parts.scheme]:
        authority += f":{port}"
    return f"{parts.scheme}://{authority}{_remove_dot_segments(_ENCODED.sub(_decode_unreserved, parts.path))}"


def _decode_unreserved(match: re.Match[str]) -> str:
    digits = match[1]
    if digits is None or not _HEXADECIMAL.fullmatch(digits):
        raise ValueError("the URL has a percent sign without two hexadecimal digits")
    character = chr(int(digits, 16))
    return character if _UNRESERVED.fullmatch(character) else f"%{digits.upper()}"


def _remove_dot_segments(path: str) -> str:
    """Return an absolute path without ``.`` and ``..`` (RFC 3986 section 5.2.4)."""
    kept: list[str] = []
    *folders, last = path.removeprefix("/").split("/")
    for segment in (*folders, last):
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if last in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)
