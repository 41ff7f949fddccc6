"""Checks the certificate that the service serves."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from service.clock import Clock
from service.errors import SettingsError
from service.operations.doctor.certificate_dates import check_dates
from service.operations.doctor.report import Finding, fail, ok, warn
from service.operations.sockets.certificates import tls_context
from service.settings.program import Settings
from service.settings.types import unix_path
from service.urls import is_loopback

ABOUT = "TLS of the service"


def check_own_certificate(settings: Settings, *, clock: Clock) -> Finding:
    """Return whether the certificate and its key can be used, and for how long."""
    if settings.certfile is None:
        return _without(settings)
    try:
        tls_context(settings.certfile, settings.keyfile, client_ca=settings.client_ca)
        chain = x509.load_pem_x509_certificates(Path(settings.certfile).read_bytes())
    except SettingsError as exc:
        return fail(ABOUT, str(exc), "name a certificate and its key in PEM, readable by this user")
    except (OSError, ValueError) as exc:  # OpenSSL has accepted it
        return warn(ABOUT, f"{settings.certfile}: its dates cannot be read: {exc}", "compare them yourself")
    renew = "renew it, and send SIGHUP if the files are not checked for changes; clients reject an expired one"
    return check_dates(ABOUT, chain[:1], now=clock.now(), renew=renew)


def _without(settings: Settings) -> Finding:
    if unix_path(settings.address) is not None:
        return ok(ABOUT, "none, since it listens on a Unix socket")
    if is_loopback(settings.address):
        return ok(ABOUT, "none, since it listens on a loopback address")
    advice = "tokens are sent in clear text unless a proxy terminates TLS; set certfile and keyfile without one"
    return warn(ABOUT, f"none at {settings.address}", advice)
