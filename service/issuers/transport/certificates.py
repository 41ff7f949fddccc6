"""Finds the CA certificates that are trusted: those of the settings, or else of OpenSSL's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from service.errors import SettingsError
from service.settings.files import check_ca_file


class TrustedCertificates(NamedTuple):
    """A file with certificates in PEM, and a folder of them; None for those of the system."""

    file: str | None
    folder: str | None


def find_certificates(ca_file: str | None, environment: Mapping[str, str]) -> TrustedCertificates:
    """Return ``ca_file``, or else ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``, which libcurl does not read itself.

    Raises:
        SettingsError: ``SSL_CERT_FILE`` is set, and no certificate can be read there.
    """
    if ca_file is not None:
        return TrustedCertificates(ca_file, None)
    file = environment.get("SSL_CERT_FILE") or None
    if file is not None:
        try:
            check_ca_file(file)
        except ValueError as exc:
            raise SettingsError([f"SSL_CERT_FILE: {exc}"]) from None
    return TrustedCertificates(file, environment.get("SSL_CERT_DIR") or None)
