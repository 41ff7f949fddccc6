"""TLS contexts from the files of a certificate."""

from __future__ import annotations

import contextlib
import errno
import os
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

from service.errors import SettingsError
from service.settings.files import show_path


def tls_context(certfile: str | None, keyfile: str | None, *, client_ca: str | None = None) -> ssl.SSLContext | None:
    """Return the TLS context for a certificate, or None without one.

    Args:
        client_ca: The CA certificates of client certificates, which are optional; None to request none.

    Raises:
        SettingsError: A file cannot be read, or the certificate and its key do not match.
    """
    if certfile is None:
        return None
    for name, path in (("certfile", certfile), ("keyfile", keyfile or certfile)):
        read_file(name, path)
    return load_context(certfile, keyfile, client_ca=client_ca)


def load_context(certfile: str, keyfile: str | None, *, client_ca: str | None = None) -> ssl.SSLContext:
    """Return a new TLS context.

    It is never one that is in use: after an attempt to load a certificate and a key that do not match, a context has no
    key, and all its handshakes fail.

    Raises:
        SettingsError: The files do not have the expected content.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password of ours, OpenSSL would prompt for that of an encrypted key.
        context.load_cert_chain(certfile, keyfile, password=b"")
    except (OSError, ValueError):
        problem = (
            f"certfile: {certfile} and keyfile: {keyfile} are not a certificate and its private key; "
            "expected both in PEM, the key without a password"
        )
        raise SettingsError([problem]) from None
    if client_ca is not None:
        try:
            context.load_verify_locations(cafile=client_ca)
        except (OSError, ValueError):
            raise SettingsError([f"client_ca: {show_path(client_ca)} contains no certificate in PEM"]) from None
        context.verify_mode = ssl.CERT_OPTIONAL  # health checks and bearer tokens need none
    return context


def load_context_of(contents: Sequence[bytes]) -> ssl.SSLContext:
    """Return a new TLS context for the contents of certificate, key and perhaps CA certificates, without their files.

    Raises:
        OSError: The system cannot hold files in memory.
        SettingsError: The contents are not as expected.
    """
    with contextlib.ExitStack() as stack:
        certificate, key, *client_ca = [stack.enter_context(_in_memory(content)) for content in contents]
        return load_context(certificate, key, client_ca=client_ca[0] if client_ca else None)


def read_file(name: str, path: str) -> bytes:
    """Return the content of a file.

    Args:
        name: The setting that names it.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as exc:  # ValueError: the path contains a null character
        reason = getattr(exc, "strerror", None) or "no such file"
        raise SettingsError([f"{name}: {show_path(path)}: {reason}"]) from None


def find_expiry(certificate: bytes) -> float | None:
    """Return when the first certificate in PEM expires, in seconds since the epoch; None if it cannot be parsed."""
    from cryptography import x509  # noqa: PLC0415  # only with TLS

    try:
        return x509.load_pem_x509_certificates(certificate)[0].not_valid_after_utc.timestamp()
    except ValueError:  # such as an encoding that OpenSSL tolerates
        return None


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Yield the path of a file that is never on a disk, since the content may be a private key."""
    if not hasattr(os, "memfd_create"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    descriptor = os.memfd_create("pem")
    try:
        with open(descriptor, "wb", closefd=False) as file:  # it has no path yet
            file.write(content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)
