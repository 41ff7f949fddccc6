from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from fakeissuer import RunningIssuer
from service.app import make_app
from service.errors import SettingsError
from service.operations import server
from service.operations.server import run_until_stopped, serving, tls_context
from service.operations.sockets import bind
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin


class Slow(BearerAuthMixin, RequestHandler):
    public = True
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def get(self) -> None:
        self.entered.set()
        await self.leave.wait()
        self.write({"finished": True})

    def post(self) -> None:
        self.write({"received": len(self.request.body)})


@pytest.fixture
def service(fake_issuer: RunningIssuer, io_loop: IOLoop) -> ResourceServerApplication:
    Slow.entered, Slow.leave = asyncio.Event(), asyncio.Event()
    return make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/slow", Slow)])


@pytest.mark.gen_test
async def test_the_announced_port_is_served(service: ResourceServerApplication) -> None:
    async with serving(service, bind("127.0.0.1", 0)) as url:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert 200 == (await AsyncHTTPClient().fetch(f"{url}/healthz")).code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.gen_test
async def test_a_signal_stops_the_server_after_pending_requests(
    number: signal.Signals, service: ResourceServerApplication
) -> None:
    async def run() -> None:
        async with serving(service, bind("127.0.0.1", 0)) as url:
            await run_until_stopped(service, announce=lambda: urls.append(url))

    urls: list[str] = []
    running = asyncio.create_task(run())
    await _until(lambda: bool(urls))
    response = asyncio.ensure_future(AsyncHTTPClient().fetch(f"{urls[0]}/slow"))
    await Slow.entered.wait()
    os.kill(os.getpid(), number)
    await _until(lambda: not _listens(urls[0]))
    assert not running.done()
    Slow.leave.set()
    assert b'{"finished": true}' == (await response).body
    await running
    assert 1 == len(urls)


@pytest.mark.gen_test
async def test_a_pending_request_is_dropped_after_the_stop_timeout(
    service: ResourceServerApplication, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "STOP_TIMEOUT", 0.05)
    async with serving(service, bind("127.0.0.1", 0)) as url:
        response = asyncio.ensure_future(AsyncHTTPClient().fetch(f"{url}/slow"))
        await Slow.entered.wait()
    assert ["pending requests dropped"] == [r.message for r in caplog.records if r.levelname == "WARNING"]
    Slow.leave.set()
    await asyncio.wait([response])
    assert response.exception() is not None


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110  # a socket has no event to wait for
        await asyncio.sleep(0)


def _listens(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


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
