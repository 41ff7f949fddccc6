"""The TLS context of a server with a throw-away certificate authority."""

from __future__ import annotations

import ssl
from pathlib import Path


def server_context(hosts: tuple[str, ...], ca_file: Path | None) -> ssl.SSLContext:
    """Return a TLS context for these hosts with a new CA, whose certificate is written to the file.

    The CA's key is never stored, so the file can only be used to trust this server.

    Raises:
        OSError: the file cannot be written.
    """
    import trustme  # noqa: PLC0415  # only ``--tls`` needs it

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*hosts).configure_cert(context)
    if ca_file is not None:
        ca_file.write_bytes(authority.cert_pem.bytes())
    return context
