"""Origins, origin patterns (RFC 6454 section 6.2), and which URLs are secure."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse

_STAR = "*."
_LABELS = r"(?:[a-z0-9_-]+\.)+"


def parse_origin(origin: str) -> None:
    """Check that a text is an origin, an origin pattern, or ``*``.

    ``null`` is rejected: any page can have that origin, by opening itself in a sandboxed frame.

    Raises:
        ValueError: It is none of these.
    """
    if origin == "*":
        return
    parts = urllib.parse.urlsplit(origin)
    if not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}".lower() or "@" in parts.netloc:
        raise ValueError(f"{origin!r} is not an origin; write scheme://host[:port], without path or slash")
    host = parts.netloc.removeprefix(_STAR)
    if "*" in host or (host != parts.netloc and "." not in host):
        raise ValueError(
            f"{origin!r} is too wide; a star stands for whole labels before a domain: https://*.example.com"
        )


def origin_pattern(origin: str) -> re.Pattern[str] | None:
    """Return a regular expression for an origin pattern, or None for a plain origin.

    The star matches one label or more: ``https://*.example.com`` matches ``https://a.b.example.com``, but neither
    ``https://example.com`` nor ``https://evilexample.com``.
    """
    scheme, separator, host = origin.partition("://")
    if not host.startswith(_STAR):
        return None
    return re.compile(re.escape(scheme + separator) + _LABELS + re.escape(host.removeprefix(_STAR)), re.ASCII)


def is_secure(url: str) -> bool:
    """Return whether responses of a URL can be trusted: it is https, or http on a loopback address."""
    parts = urllib.parse.urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )


def is_loopback(host: str | None) -> bool:
    """Return whether a host is ``localhost`` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
