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


def self_signed(key: SigningKey) -> str:
    """Return a self-signed certificate as in ``x5c``: DER in base64 (RFC 7515 section 4.1.6)."""
    private = serialization.load_pem_private_key(key.private.export_to_pem(private_key=True, password=None), None)
    assert isinstance(private, RSAPrivateKey)  # noqa: S101  # for the type checker: the caller's key is RSA
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "attacker.example")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=private.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now,
        not_valid_after=now + _VALID_FOR,
    )
    certificate = builder.sign(private, hashes.SHA256())
    return base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()
