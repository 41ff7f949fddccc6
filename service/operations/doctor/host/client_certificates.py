"""Checks the sources of client certificates, to which tokens may be bound: the CA file, and the field of a proxy."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from service.operations.doctor.report import Finding, fail, ok, warn
from service.settings.program import Settings
from service.settings.types import UNIX_SOCKETS

_FEW_DAYS = 30
_WIDEST_PRIVATE_NETWORK = {4: 8, 6: 7}
"""The length of the shortest prefix of a private network, by the version of IP: 10.0.0.0/8 and fc00::/7."""


def check_client_certificates(settings: Settings, *, now: float) -> Iterator[Finding]:
    """Yield a finding for each source of client certificates, or one that there is none.

    Args:
        now: Seconds since the epoch.
    """
    if settings.client_ca is not None:
        yield _check_authorities(settings.client_ca, dt.datetime.fromtimestamp(now, dt.UTC))
    if settings.client_certificate_header is not None:
        yield _check_header(settings.client_certificate_header, settings.trusted_proxies)
    if settings.client_ca is None and settings.client_certificate_header is None:
        yield ok("client certificates", "none are read, so tokens that are bound to one are rejected")


def _check_authorities(path: str, now: dt.datetime) -> Finding:
    about = "client_ca"
    try:
        authorities = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except (OSError, ValueError) as exc:
        return fail(about, f"{path}: {exc}", "name a file of CA certificates in PEM, readable by this user")
    days = [_days_left(authority, now) for authority in authorities]
    found = f"{path}: " + ", ".join(
        f"{authority.subject.rfc4514_string()} {_describe(left)}"
        for authority, left in zip(authorities, days, strict=True)
    )
    if max(days) <= 0:
        return fail(about, found, "every client certificate ends the connection; renew the CA certificates")
    if min(days) <= 0:
        return warn(about, found, "the certificates of that CA end the connection; renew it, or remove it")
    if min(days) < _FEW_DAYS:
        return warn(about, found, "renew it before; its clients cannot connect afterwards")
    return ok(about, found)


def _days_left(certificate: x509.Certificate, now: dt.datetime) -> float:
    """Return the days until a certificate expires; zero or less if it is not valid now."""
    if now < certificate.not_valid_before_utc:
        return 0.0
    return (certificate.not_valid_after_utc - now) / dt.timedelta(days=1)


def _describe(days: float) -> str:
    if days <= 0:
        return "is expired or not valid yet"
    return f"has {int(days)} days left" if days >= 1 else "has less than a day left"


def _check_header(name: str, proxies: tuple[str, ...]) -> Finding:
    about, found = "client_certificate_header", f"{name} of the proxies {', '.join(proxies)}"
    networks = [ipaddress.ip_network(proxy) for proxy in proxies if proxy != UNIX_SOCKETS]
    wide = [str(each) for each in networks if each.prefixlen < _WIDEST_PRIVATE_NETWORK[each.version]]
    if wide:
        advice = f"a client in {', '.join(wide)} can send the field, too; list the addresses of your proxies"
        return fail(about, found, f"{advice} in trusted_proxies")
    return ok(about, found)
