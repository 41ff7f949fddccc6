from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from service.errors import SettingsError
from service.operations.sockets.certificates import tls_context


@pytest.fixture
def pem(tmp_path: Path) -> dict[str, str]:
    """Return the paths of a certificate, its key, another key, its key encrypted, a text and a folder."""
    for name in ("own", "other"):
        issued = trustme.CA().issue_cert("localhost")
        issued.cert_chain_pems[0].write_to_path(tmp_path / f"{name}.pem")
        issued.private_key_pem.write_to_path(tmp_path / f"{name}.key")
    key = load_pem_private_key((tmp_path / "own.key").read_bytes(), None)
    encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hunter2"))
    (tmp_path / "encrypted.key").write_bytes(encrypted)
    (tmp_path / "text").write_text("text")
    (tmp_path / "folder").mkdir()
    names = ("own.pem", "own.key", "other.key", "encrypted.key", "text", "folder")
    return {name: str(tmp_path / name) for name in names}


def test_a_certificate_and_its_key_are_loaded(pem: dict[str, str]) -> None:
    assert tls_context(pem["own.pem"], pem["own.key"]) is not None
    assert tls_context(None, None) is None


def test_client_certificates_are_optional_and_requested_only_with_a_ca(pem: dict[str, str]) -> None:
    def mode(client_ca: str | None) -> ssl.VerifyMode | None:
        context = tls_context(pem["own.pem"], pem["own.key"], client_ca=client_ca)
        return None if context is None else context.verify_mode

    assert (ssl.CERT_NONE, ssl.CERT_OPTIONAL) == (mode(None), mode(pem["own.pem"]))


@pytest.mark.parametrize(
    ("certfile", "keyfile", "message"),
    [
        ("missing", "own.key", "certfile: missing: No such file"),
        ("own.pem", "missing", "keyfile: missing: No such file"),
        ("folder", "own.key", "certfile: {certfile}: Is a directory"),
        ("own.pem", "folder", "keyfile: {keyfile}: Is a directory"),
        ("a\0b", "own.key", "certfile: (not a path): no such file"),
        ("text", "own.key", "{certfile} and keyfile: {keyfile} are not a certificate and its private key"),
        ("own.pem", "text", "{certfile} and keyfile: {keyfile} are not a certificate and its private key"),
        ("own.pem", "other.key", "{certfile} and keyfile: {keyfile} are not a certificate and its private key"),
        ("own.pem", "encrypted.key", "the key without a password"),
    ],
)
def test_an_unusable_certificate_or_key_is_named_in_one_line(
    certfile: str, keyfile: str, message: str, pem: dict[str, str]
) -> None:
    certificate, key = pem.get(certfile, certfile), pem.get(keyfile, keyfile)
    with pytest.raises(SettingsError) as rejection:
        tls_context(certificate, key)
    (problem,) = rejection.value.problems
    assert message.format(certfile=certificate, keyfile=key) in problem
    assert problem.isprintable()
