"""The findings about a chain of certificates and its dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from cryptography import x509

from service.operations.doctor.report import Finding, fail, ok, warn

_SOON = 14.0
"""Days; a renewal that runs by itself is done earlier, so it has failed by then."""


def check_dates(about: str, chain: Sequence[x509.Certificate], *, now: float, renew: str) -> Finding:
    """Return whether every certificate of a chain is valid now, and for some time.

    Args:
        chain: One certificate or more, the one of the server first.
        now: Seconds since the epoch.
        renew: What to do if one expires.
    """
    date = dt.datetime.fromtimestamp(now, dt.UTC)
    first = min(chain, key=lambda certificate: certificate.not_valid_after_utc)
    late = max(chain, key=lambda certificate: certificate.not_valid_before_utc)
    days = (first.not_valid_after_utc - date).total_seconds() / 86400
    until = f"{describe_name(first)} is valid until {_format(first.not_valid_after_utc)}"
    if late.not_valid_before_utc > date:
        found = f"{describe_name(late)} is valid from {_format(late.not_valid_before_utc)}"
        return fail(about, found, "this machine's clock is behind, or the certificate is not meant to be in use yet")
    if days < 0:
        return fail(about, f"{until}: expired {-days:.0f} days ago", renew)
    found = f"{until}, in {days:.0f} days"
    return ok(about, found) if days > _SOON else warn(about, found, renew)


def describe_name(certificate: x509.Certificate) -> str:
    """Return the host names of a certificate, or its subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    except (x509.ExtensionNotFound, ValueError):  # ValueError: malformed extensions
        hosts = []
    return "the certificate of " + (", ".join(hosts[:3]) or certificate.subject.rfc4514_string() or "no name")


def _format(date: dt.datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M} UTC"
