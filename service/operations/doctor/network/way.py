"""Checks the way to one issuer: the proxy, the host name, and the certificates of its server."""

from __future__ import annotations

import asyncio
import os
import socket
import urllib.parse
from collections.abc import AsyncIterator

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.transport.certificates import find_certificates
from service.issuers.transport.proxies import ProxyRules
from service.operations.doctor.certificate_dates import check_dates, describe_name
from service.operations.doctor.network.certificates import fetch_chain
from service.operations.doctor.report import Finding, fail, ok, skipped, warn
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.urls import DEFAULT_PORTS, Proxy

_TIMEOUT = 3.0
"""Seconds for the resolution of a name and for a connection."""
_TLS = "TLS to the issuer"


async def check_way(issuer: TrustedIssuer, url: str, settings: Settings, *, clock: Clock) -> AsyncIterator[Finding]:
    """Yield the findings about the proxy, the name and the certificates of the server of a URL."""
    proxy = ProxyRules(settings.proxy_url, os.environ).choose(url)
    yield await _check_proxy(proxy)
    yield await _check_name(url, proxy)
    yield await _check_tls(issuer, url, proxy, settings, clock=clock)


async def _check_proxy(proxy: Proxy | None) -> Finding:
    about = "proxy"
    if proxy is None:
        return ok(about, "none for this issuer")
    parts = urllib.parse.urlsplit(proxy.url)
    try:
        async with asyncio.timeout(_TIMEOUT):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except OSError as exc:  # a TimeoutError is one
        reason = exc.strerror or "it does not respond in time"
        return fail(about, f"{proxy.url}: {reason}", "correct http_proxy, or name the issuer's host in NO_PROXY")
    writer.close()
    return ok(about, f"{proxy.url}, which accepts connections")


async def _check_name(url: str, proxy: Proxy | None) -> Finding:
    about = "name"
    parts = urllib.parse.urlsplit(url)
    if proxy is not None and not proxy.url.startswith(("socks4:", "socks5:")):
        return ok(about, f"{parts.hostname}, which the proxy resolves")
    try:
        async with asyncio.timeout(_TIMEOUT):
            found = await asyncio.get_running_loop().getaddrinfo(
                parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme), type=socket.SOCK_STREAM
            )
    except socket.gaierror as exc:
        advice = "is the name right? If it is, check the name servers of this machine (/etc/resolv.conf)"
        return fail(about, f"{parts.hostname}: {exc.strerror}", advice)
    except TimeoutError:
        advice = "the name servers of this machine do not respond; check /etc/resolv.conf and the firewall"
        return fail(about, f"{parts.hostname}: no response within {_TIMEOUT:g} s", advice)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if [parts.hostname] == addresses:
        return ok(about, f"{parts.hostname}, which is an address")
    return ok(about, f"{parts.hostname} is {', '.join(addresses[:4])}")


async def _check_tls(
    issuer: TrustedIssuer, url: str, proxy: Proxy | None, settings: Settings, *, clock: Clock
) -> Finding:
    if issuer.is_exposed:
        advice = "an attacker on the network can replace its keys, and then issue tokens; use https"
        return warn(_TLS, "none, since insecure_accept_http_issuer is set", advice)
    if urllib.parse.urlsplit(url).scheme != "https":
        return ok(_TLS, "none, since the issuer is on a loopback address")
    trusted = find_certificates(settings.ca_file, os.environ)
    try:
        found = await asyncio.to_thread(fetch_chain, url, proxy=proxy, trusted=trusted)
    except IssuerUnavailable as exc:
        return skipped(_TLS, f"there is no connection: {exc.detail}")
    renew = "the operator of the issuer has to renew it; the service cannot connect with an expired certificate"
    dates = check_dates(_TLS, found.chain, now=clock.now(), renew=renew)
    if not found.problem:
        return dates
    if dates.outcome.value == "fail":
        return dates
    advice = (
        "for a private CA set ca_file to its certificate; for a proxy that decrypts TLS, to that of the proxy; a "
        "certificate for another name belongs to another server"
    )
    last = found.chain[-1].issuer.rfc4514_string()
    return fail(_TLS, f"{found.problem}: {describe_name(found.chain[0])}, issued by {last}", advice)
