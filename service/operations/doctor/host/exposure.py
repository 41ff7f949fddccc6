"""Checks who can reach the service and its admin port, and whom it trusts."""

from __future__ import annotations

import ipaddress

from service.operations.doctor.report import Finding, ok, warn
from service.settings.program import Settings
from service.settings.types import UNIX_SOCKETS, unix_path
from service.urls import is_loopback, is_secure

_MAX_PROXY_ADDRESSES = 2**16
"""Addresses of a public network that are plausibly those of proxies, such as of a content delivery network."""


def check_cors(settings: Settings) -> Finding:
    """Return which pages may call the API."""
    about, origins = "CORS origins", settings.cors_origins
    found = ", ".join(origins) or "none, so pages of other origins cannot call the API"
    if "*" in origins:
        advice = "pages of every site may call the API; list your own origins in cors_origins"
        return warn(about, found, advice)
    if insecure := [origin for origin in origins if not is_secure(origin)]:
        advice = f"an attacker on the network can change pages of {', '.join(insecure)}; use https there"
        return warn(about, found, advice)
    return ok(about, found)


def check_trusted_proxies(settings: Settings) -> Finding:
    """Return whose word is taken for the address of a client."""
    about, proxies = "trusted proxies", settings.trusted_proxies
    if not proxies:
        if unix_path(settings.address) is not None:
            advice = f"a proxy connects to the Unix socket; add {UNIX_SOCKETS} to trusted_proxies to read its headers"
            return warn(about, "none, so every client has the address of the proxy, or none", advice)
        return ok(about, "none, so Forwarded and X-Forwarded-* are ignored")
    found = ", ".join(proxies)
    wide = [network for network in proxies if network != UNIX_SOCKETS and _is_wide(network)]
    if wide:
        advice = f"every machine in {', '.join(wide)} can choose its own address; list the addresses of your proxies"
        return warn(about, found, advice)
    return ok(about, found)


def check_admin_port(settings: Settings) -> Finding:
    """Return who can reach the admin port, and who can change something there."""
    about = "admin port"
    if not settings.has_admin_port:
        return ok(about, "off, so there are no metrics and no deny list")
    operators = ", ".join(settings.operator_tokens)
    changes = f"changes by {operators}" if operators else "no token is set, so nothing can be changed"
    address, path = settings.admin_address, unix_path(settings.admin_address)
    found = f"{address}{'' if path else f':{settings.admin_port}'}, {changes}"
    if path is not None or is_loopback(address):
        return ok(about, found)
    if settings.certfile is None:
        advice = "tokens can be read on the network; set certfile and keyfile, or a loopback admin_address"
        return warn(about, f"{found}, without TLS", advice)
    if _is_unspecified(address):
        advice = (
            "it listens on every address, and metrics need no token; set admin_address to one of an internal network, "
            "or let a firewall or a network policy admit only your own machines"
        )
        return warn(about, found, advice)
    return ok(about, f"{found}, with TLS")


def _is_wide(network: str) -> bool:
    parsed = ipaddress.ip_network(network)
    is_large = parsed.num_addresses > _MAX_PROXY_ADDRESSES if parsed.version == 4 else parsed.prefixlen < 32
    return is_large and not parsed.is_private


def _is_unspecified(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False
