from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from service.errors import IssuerUnavailable, SettingsError
from service.issuers.client import JSONClient
from service.issuers.transport.certificates import find_certificates


class _Keys(RequestHandler):
    def get(self) -> None:
        self.write({"keys": []})


@pytest.mark.gen_test
async def test_the_certificates_of_openssl_are_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    socket, port = bind_unused_port(address="127.0.0.1")
    server = HTTPServer(Application([("/keys", _Keys)]), ssl_options=tls)
    server.add_socket(socket)
    url = f"https://localhost:{port}/keys"
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    untrusting = JSONClient()
    with pytest.raises(IssuerUnavailable, match="certificate"):
        await untrusting.get(url)
    untrusting.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    trusting = JSONClient()
    assert {"keys": []} == (await trusting.get(url)).document
    trusting.close()
    server.stop()


def test_the_file_of_the_settings_takes_precedence() -> None:
    environment = {"SSL_CERT_FILE": "/missing.pem", "SSL_CERT_DIR": "/certificates"}
    assert ("ca.pem", None) == find_certificates("ca.pem", environment)


def test_empty_variables_are_not_set() -> None:
    assert (None, None) == find_certificates(None, {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""})


def test_a_missing_file_in_the_environment_is_named_at_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(SettingsError, match=r"SSL_CERT_FILE: .*missing\.pem: No such file"):
        JSONClient()


@pytest.mark.gen_test
async def test_a_folder_of_certificates_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    client = JSONClient()
    with pytest.raises(IssuerUnavailable):
        await client.get("https://127.0.0.1:1/keys")
    client.close()
