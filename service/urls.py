"""Origins, origin patterns (RFC 6454 section 6.2), proxies, and which URLs are secure."""

from __future__ import annotations

import functools
import ipaddress
import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

_STAR = "*."
_LABELS = r"(?:[a-z0-9_-]+\.)+"
DEFAULT_PORTS = {"http": 80, "https": 443}
_NEVER_AN_ORIGIN = {"ftp": "https", "ws": "http", "wss": "https"}
"""Schemes of URLs that are not the scheme of any page, and the one that was probably meant."""
_PROXY_PORTS = {"http": 8080, "https": 443, "socks4": 1080, "socks4a": 1080, "socks5": 1080, "socks5h": 1080}
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?", re.ASCII)
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?", re.ASCII)
"""The hosts that browsers parse as IPv4 addresses (URL standard, "ends in a number")."""


def parse_origin(origin: str) -> None:
    """Check that a text is an origin, an origin pattern, or ``*``.

    ``null`` is rejected: any page can have that origin, by opening itself in a sandboxed frame.

    Raises:
        ValueError: It is none of these, no browser sends it in this form, or other people can register names below
            the domain of the pattern.
    """
    if origin == "*":
        return
    try:
        parts = urllib.parse.urlsplit(origin)
        port = parts.port
    except ValueError:
        raise ValueError(f"{origin!r} is not an origin; write scheme://host[:port]") from None
    if not parts.netloc or origin != f"{parts.scheme}://{parts.netloc}".lower() or "@" in parts.netloc:
        raise ValueError(f"{origin!r} is not an origin; write scheme://host[:port], without path or slash")
    if parts.scheme in _NEVER_AN_ORIGIN:
        advice = f"write {_NEVER_AN_ORIGIN[parts.scheme]}:// as in the address of the page"
        raise ValueError(f"{origin!r} is not the origin of any page; {advice}")
    host = (parts.hostname or "").removeprefix(_STAR)
    is_pattern = parts.netloc.startswith(_STAR)
    if "*" in host or (is_pattern and "." not in host):
        raise ValueError(
            f"{origin!r} is too wide; a star stands for whole labels before a domain: https://*.example.com"
        )
    sent = f"{parts.scheme}://{_STAR * is_pattern}{_serialize(host, origin=origin)}"
    if port is not None and port != DEFAULT_PORTS.get(parts.scheme):
        sent += f":{port}"
    if sent != origin:
        raise ValueError(f"{origin!r} never matches; browsers send {sent}")
    if is_pattern:
        _check_owned(host, origin=origin)


def _serialize(host: str, *, origin: str) -> str:
    """Return a host as browsers send it in ``Origin``."""
    if not host.isascii():
        raise ValueError(f"{origin!r} never matches; browsers send the ASCII form of a domain, which begins with xn--")
    try:
        if ":" in host and "%" not in host:  # browsers have no IPv6 zones
            return f"[{ipaddress.IPv6Address(host).compressed}]"
        if _ENDS_IN_NUMBER.fullmatch(host):
            return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise ValueError(f"{origin!r} never matches; its host is not an IP address") from None
    if not _HOST.fullmatch(host):
        raise ValueError(f"{origin!r} is not an origin; its host contains characters that are not allowed there")
    return host


def _check_owned(host: str, *, origin: str) -> None:
    """Check that all names below a domain have the same owner, as far as the public suffix list says."""
    if _ENDS_IN_NUMBER.fullmatch(host):
        raise ValueError(f"{origin!r} never matches; an IP address has no subdomains")
    domain = host.removesuffix(".")
    suffix = domain if _public_suffixes().is_public(domain) else _find_suffix_below(domain)
    if suffix is not None:
        advice = "list your own domains below it, such as"
        raise ValueError(
            f"{origin!r} is too wide; anyone can register a name below {suffix}: {advice} https://*.example.{suffix}"
        )


@functools.cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # noqa: PLC0415  # read only for an origin pattern

    return PublicSuffixList()


def _find_suffix_below(domain: str) -> str | None:
    """Return a public suffix below a domain: ``amazonaws.com`` is none, but ``s3.amazonaws.com`` is."""
    from publicsuffixlist import PSLFILE  # noqa: PLC0415  # as above

    with Path(PSLFILE).open(encoding="utf-8") as lines:
        for line in lines:
            suffix = line.strip().removeprefix(_STAR)
            if suffix.endswith(f".{domain}") and not suffix.startswith(("//", "!")):
                return suffix
    return None


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """A proxy; ``repr`` omits its credentials."""

    url: str
    """Scheme, host and port."""
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)


def parse_proxy(text: str) -> Proxy:
    """Return the proxy in a text, ``[scheme://][user:password@]host[:port]``; without a scheme it is an HTTP proxy.

    Raises:
        ValueError: It is malformed; the message does not repeat it, because it may contain a password.
    """
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        host, port = parts.hostname or "", parts.port
        is_host = ipaddress.IPv6Address(host) if ":" in host else _HOST.fullmatch(host)
    except ValueError:
        is_host = None
    # Anything after the port is part of a password with a slash, question mark or number sign.
    if (
        not is_host
        or parts.scheme not in _PROXY_PORTS
        or port == 0
        or parts.path not in {"", "/"}
        or parts.query
        or parts.fragment
    ):
        raise ValueError(
            f"expected host:port or scheme://host:port, with {', '.join(_PROXY_PORTS)} as the scheme, and with a "
            "percent-encoded user and password before the host if it requires them"
        )
    return Proxy(
        url=f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port or _PROXY_PORTS[parts.scheme]}",
        user=None if parts.username is None else urllib.parse.unquote(parts.username),
        password=urllib.parse.unquote(parts.password or ""),
    )
