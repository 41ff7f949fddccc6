"""A certificate authority of our own, with a server and clients, as files for programs and as contexts for sockets."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key in files."""

    file: Path
    key_file: Path

    @property
    def pem(self) -> str:
        return self.file.read_text()

    @property
    def der(self) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.pem)

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.der).digest()

    @property
    def thumbprint(self) -> str:
        return base64.urlsafe_b64encode(self.digest).rstrip(b"=").decode()

    @property
    def curl(self) -> list[str]:
        return ["--cert", str(self.file), "--key", str(self.key_file)]


@dataclass(frozen=True)
class Authority:
    """A certificate authority that writes to a folder."""

    folder: Path
    authority: trustme.CA = field(default_factory=trustme.CA)

    @property
    def file(self) -> Path:
        path = self.folder / "ca.pem"
        self.authority.cert_pem.write_to_path(path)
        return path

    def issue(self, name: str, *others: str, **options: Any) -> Certificate:
        issued = self.authority.issue_cert(name, *others, **options)
        own = Certificate(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        issued.cert_chain_pems[0].write_to_path(own.file)
        issued.private_key_pem.write_to_path(own.key_file)
        return own

    def client_context(self, certificate: Certificate | None = None) -> ssl.SSLContext:
        """Return the context of a client that trusts the servers of this authority."""
        context = ssl.create_default_context(cafile=self.file)
        if certificate is not None:
            context.load_cert_chain(certificate.file, certificate.key_file)
        return context


def self_signed(
    folder: Path, name: str, *, start: dt.datetime | None = None, end: dt.datetime | None = None
) -> Certificate:
    """Return a certificate that is signed with its own key, by default valid since yesterday and until tomorrow."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=start or now - dt.timedelta(days=1),
        not_valid_after=end or now + dt.timedelta(days=1),
    ).sign(key, hashes.SHA256())
    own = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    own.file.write_bytes(made.public_bytes(Encoding.PEM))
    own.key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return own
