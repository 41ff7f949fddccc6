"""Chooses the proxy of a request from the settings and the environment, with the exceptions in ``NO_PROXY``.

libcurl would read the environment itself, but only report a malformed proxy when a request fails.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

import pycurl

from service.errors import SettingsError
from service.urls import DEFAULT_PORTS, Proxy, is_loopback, parse_proxy

_ANY = "all_proxy"

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ProxyRules:
    """The proxies for http and https URLs, and the hosts that are reached without one.

    A loopback address never has one: a proxy has another loopback, and would see the token.

    Args:
        proxy: The proxy in the settings; it takes precedence over ``https_proxy``, ``http_proxy`` and ``all_proxy``.
        environment: The environment; names in lower case take precedence over those in upper case.

    Raises:
        SettingsError: A proxy is malformed, or of a kind that this libcurl does not support.
    """

    def __init__(self, proxy: str | None, environment: Mapping[str, str]) -> None:
        self._proxies: dict[str, Proxy | None] = {
            scheme: _find(environment, f"{scheme}_proxy", _ANY) if proxy is None else _read("http_proxy", proxy)
            for scheme in DEFAULT_PORTS
        }
        _, excluded = _lookup(environment, "no_proxy")
        self._exceptions = tuple(map(_Exception.read, excluded.replace(",", " ").split()))

    def choose(self, url: str) -> Proxy | None:
        """Return the proxy for a URL, or None for a direct connection."""
        parts = urllib.parse.urlsplit(url)
        proxy = self._proxies.get(parts.scheme)
        host = (parts.hostname or "").removesuffix(".")
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
        if proxy is None or is_loopback(host) or any(one.matches(host, port) for one in self._exceptions):
            return None
        return proxy


@dataclass(frozen=True, kw_only=True, slots=True)
class _Exception:
    """One item of ``NO_PROXY``: ``*``, an IP address or network, or a domain with the hosts below it."""

    name: str
    port: int | None
    network: Network | None

    @classmethod
    def read(cls, item: str) -> _Exception:
        """Return the item in a text; one that is malformed matches nothing."""
        name, port = item.lower(), None
        host, separator, digits = name.rpartition(":")
        if separator and digits.isdecimal() and (":" not in host or host.endswith("]")):
            name, port = host, int(digits)
        try:
            network: Network | None = ipaddress.ip_network(name.strip("[]"), strict=False)
        except ValueError:
            network = None
        name = name if name == "*" else name.removeprefix("*").removeprefix(".").removesuffix(".")
        return cls(name=name, port=port, network=network)

    def matches(self, host: str, port: int | None) -> bool:
        """Return whether a host in lower case and its port are reached without a proxy; names are not resolved."""
        if self.port not in {None, port}:
            return False
        if self.name in {"*", host} or (self.name and host.endswith(f".{self.name}")):
            return True
        try:
            return self.network is not None and ipaddress.ip_address(host) in self.network
        except ValueError:
            return False


def configure_proxy(curl: pycurl.Curl, proxy: Proxy | None, *, ca_file: str | None) -> None:
    """Set the proxy of one request; handles are reused, so each option is set every time.

    Args:
        ca_file: The CA certificates for a proxy that is reached by TLS; None for those of the system.
    """
    curl.setopt(pycurl.PROXY, "" if proxy is None else proxy.url)  # empty, so that libcurl reads no environment
    curl.setopt(pycurl.NOPROXY, "")
    if proxy is not None and proxy.user is not None:
        curl.setopt(pycurl.PROXYUSERNAME, proxy.user)
        curl.setopt(pycurl.PROXYPASSWORD, proxy.password)
    if proxy is not None and ca_file is not None:
        curl.setopt(pycurl.PROXY_CAINFO, ca_file)


def _find(environment: Mapping[str, str], *names: str) -> Proxy | None:
    variable, text = _lookup(environment, *names)
    return _read(variable, text) if text else None


def _lookup(environment: Mapping[str, str], *names: str) -> tuple[str, str]:
    """Return the first variable that is not empty, with its value; "" if there is none."""
    variables = [variable for name in names for variable in (name, name.upper())]
    found = ((variable, environment.get(variable, "").strip()) for variable in variables)
    return next(((variable, value) for variable, value in found if value), ("", ""))


def _read(name: str, text: str) -> Proxy:
    try:
        proxy = parse_proxy(text)
    except ValueError as exc:
        raise SettingsError([f"{name}: {exc}"]) from None
    if proxy.url.startswith("https:") and not _supports_https_proxies():
        raise SettingsError([f"{name}: this libcurl does not support https:// proxies; use http://"])
    return proxy


def _supports_https_proxies() -> bool:
    return bool(pycurl.version_info()[4] & pycurl.VERSION_HTTPS_PROXY)
