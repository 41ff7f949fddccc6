"""Self-signed certificates for the ``x5c`` member of a key (RFC 7517 section 4.7)."""

from __future__ import annotations

import base64
import datetime as dt
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

_VALID_FOR = dt.timedelta(days=1)
_PUBLISHED_FROM, _PUBLISHED_FOR = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.timedelta(days=36_500)


def self_signed(key: SigningKey) -> str:
    """Return an attacker's self-signed certificate as in ``x5c``: DER in base64 (RFC 7515 section 4.1.6)."""
    certificate = _certificate(
        key, "attacker.example", dt.datetime.now(dt.UTC), _VALID_FOR, x509.random_serial_number()
    )
    return base64.b64encode(certificate).decode()


def self_issued(key: SigningKey) -> bytes:
    """Return the certificate of a published key as DER; the same key always has the same certificate."""
    return _certificate(key, "fakeissuer.example", _PUBLISHED_FROM, _PUBLISHED_FOR, 1)


def _certificate(key: SigningKey, name: str, start: dt.datetime, duration: dt.timedelta, serial: int) -> bytes:
    private = serialization.load_pem_private_key(key.private.export_to_pem(private_key=True, password=None), None)
    assert isinstance(private, RSAPrivateKey)  # noqa: S101  # for the type checker: the caller's key is RSA
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=private.public_key(),
        serial_number=serial,
        not_valid_before=start,
        not_valid_after=start + duration,
    )
    return builder.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
