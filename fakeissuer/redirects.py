"""Which redirect URI is registered (RFC 6749 section 3.1.2.3): compared character by character, but for `:*`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

# What a browser reads otherwise than we do: a backslash is a slash to it, and line ends are nothing.
PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")

HOST_AND_PORT = re.compile(r"[A-Za-z0-9.:\[\]_-]*")

ANY_PORT = ":*"


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Tell whether a client may be sent to this URI.

    A registered one that ends with `:*` stands for any port and path of that scheme and host, for programs and tests
    that listen where they can (RFC 8252 section 7.3).
    """
    if not PLAIN.fullmatch(uri) or "#" in uri:
        return False
    return any(_is_of_host(uri, known) if known.endswith(ANY_PORT) else uri == known for known in registered)


def origin_of(uri: str) -> str:
    """Return the origin of a URI as a content security policy names it; of an app's own scheme there is just that."""
    parts = urlsplit(uri)
    # A semicolon in a registered host would end the directive and begin one of the client's own.
    if not HOST_AND_PORT.fullmatch(parts.netloc):
        return "'none'"
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


def schemes_towards(uri: str) -> str:
    """Return what a form may lead to that ends with a client, as a content security policy names it.

    A browser holds each redirect that follows the form against this, and a client may send its user on to a front end
    of another origin, which it has registered nowhere; so only schemes are named.
    """
    scheme = urlsplit(uri).scheme
    return "http: https:" if scheme in ("http", "https") else f"http: https: {scheme}:"


def _is_of_host(uri: str, pattern: str) -> bool:
    wanted = urlsplit(pattern.removesuffix(ANY_PORT))
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018 - a port that is no number is found out by asking for it
    except ValueError:
        return False
    return (parts.scheme, parts.hostname) == (wanted.scheme, wanted.hostname) and parts.username is None
