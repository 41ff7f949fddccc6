"""How an origin is written, and which origins a pattern stands for (RFC 6454 section 6.2)."""

from __future__ import annotations

import ipaddress
import re
import urllib.parse

_STAR = "*."
_LABELS = r"(?:[a-z0-9_-]+\.)+"


def parse_origin(origin: str) -> None:
    """Refuse what is neither an origin, nor a pattern, nor the star for every page.

    ``null`` is none of them: any page can have that origin, by showing itself in a sandbox.

    Raises:
        ValueError: It is something else.
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
    """Return what the origins look like that a pattern stands for, or None for an origin that stands for itself.

    The star stands for one label or more, and never for none: ``https://*.example.com`` is
    ``https://a.b.example.com``, and neither ``https://example.com`` nor ``https://evilexample.com``.
    """
    scheme, separator, host = origin.partition("://")
    if not host.startswith(_STAR):
        return None
    return re.compile(re.escape(scheme + separator) + _LABELS + re.escape(host.removeprefix(_STAR)), re.ASCII)


def is_secure(url: str) -> bool:
    """Return whether what comes from this address can be believed: it is https, or on this very machine."""
    parts = urllib.parse.urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
    )


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this very machine, by its number or as ``localhost``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
