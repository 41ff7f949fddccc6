from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from service.errors import IssuerUnavailable, SettingsError
from service.issuers.client import JSONClient
from service.issuers.transport import proxies
from service.issuers.transport.proxies import ProxyRules
from service.urls import parse_proxy

PROXY = "http://proxy.example:3128"
VARIABLES = tuple(
    name for base in ("http", "https", "all", "no") for name in (f"{base}_proxy", f"{base}_PROXY".upper())
)
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\n" + b'{"keys": []}'


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def _url(rules: ProxyRules, url: str) -> str | None:
    proxy = rules.choose(url)
    return None if proxy is None else proxy.url


CHOICES: dict[str, tuple[dict[str, str], str, bool]] = {
    "https": ({"https_proxy": PROXY}, "https://a.example/", True),
    "https, in upper case": ({"HTTPS_PROXY": PROXY}, "https://a.example/", True),
    "the other scheme": ({"http_proxy": PROXY}, "https://a.example/", False),
    "http": ({"http_proxy": PROXY}, "http://a.example/", True),
    "http, in upper case": ({"HTTP_PROXY": PROXY}, "http://a.example/", True),
    "all": ({"all_proxy": PROXY}, "https://a.example/", True),
    "all, in upper case": ({"ALL_PROXY": PROXY}, "http://a.example/", True),
    "none": ({}, "https://a.example/", False),
    "empty": ({"https_proxy": "", "HTTPS_PROXY": " "}, "https://a.example/", False),
    "lower case first": ({"https_proxy": PROXY, "HTTPS_PROXY": "http://other:1"}, "https://a.example/", True),
    "the scheme before all": ({"https_proxy": PROXY, "all_proxy": "http://other:1"}, "https://a.example/", True),
    "a loopback address": ({"all_proxy": PROXY}, "http://127.0.0.1:9/", False),
    "localhost": ({"all_proxy": PROXY}, "http://localhost/", False),
}


@pytest.mark.parametrize(("environment", "url", "is_proxied"), CHOICES.values(), ids=CHOICES.keys())
def test_the_proxy_of_the_environment_is_chosen_by_scheme(
    environment: dict[str, str], url: str, *, is_proxied: bool
) -> None:
    assert (PROXY if is_proxied else None) == _url(ProxyRules(None, environment), url)


def test_the_proxy_of_the_settings_takes_precedence_for_both_schemes() -> None:
    rules = ProxyRules(
        PROXY, {"https_proxy": "malformed proxy", "all_proxy": "http://other:1", "no_proxy": "a.example"}
    )
    assert [PROXY, PROXY, None] == [
        _url(rules, url) for url in ("https://b.example", "http://b.example", "http://a.example")
    ]


EXCEPTIONS: dict[str, tuple[str, str, bool]] = {
    "the host": ("a.example", "https://a.example/", True),
    "a host below": ("a.example", "https://b.a.example/", True),
    "another host with that end": ("a.example", "https://ba.example/", False),
    "the host above": ("b.a.example", "https://a.example/", False),
    "a leading dot": (".a.example", "https://b.a.example/", True),
    "a leading dot, and the domain": (".a.example", "https://a.example/", True),
    "a star and a dot": ("*.a.example", "https://b.a.example/", True),
    "upper case": ("A.EXAMPLE", "https://a.Example/", True),
    "a final dot": ("a.example.", "https://a.example/", True),
    "a final dot in the URL": ("a.example", "https://a.example./", True),
    "a port": ("a.example:8443", "https://a.example:8443/", True),
    "another port": ("a.example:8443", "https://a.example/", False),
    "the default port": ("a.example:443", "https://a.example/", True),
    "everything": ("*", "https://a.example/", True),
    "one of several": ("x.example, a.example,y.example", "https://a.example/", True),
    "white space": ("x.example a.example", "https://a.example/", True),
    "an address": ("10.0.0.1", "https://10.0.0.1/", True),
    "another address": ("10.0.0.1", "https://10.0.0.2/", False),
    "a network": ("10.0.0.0/8", "https://10.1.2.3/", True),
    "a network with host bits": ("10.0.0.1/8", "https://10.1.2.3/", True),
    "another network": ("10.0.0.0/8", "https://11.1.2.3/", False),
    "a network, for a name": ("10.0.0.0/8", "https://a.example/", False),
    "an IPv6 address": ("fd00::1", "https://[fd00::1]/", True),
    "an IPv6 address in another spelling": ("FD00:0::0001", "https://[fd00::1]/", True),
    "an IPv6 address in brackets": ("[fd00::1]", "https://[fd00::1]/", True),
    "an IPv6 address with a port": ("[fd00::1]:8443", "https://[fd00::1]:8443/", True),
    "an IPv6 address with another port": ("[fd00::1]:8443", "https://[fd00::1]/", False),
    "an IPv6 network": ("fd00::/8", "https://[fd00::1]/", True),
    "a malformed network": ("10.0.0.0/33", "https://10.1.2.3/", False),
    "a dot alone": (".", "https://a.example/", False),
    "nothing": ("", "https://a.example/", False),
}


@pytest.mark.parametrize(("excluded", "url", "is_direct"), EXCEPTIONS.values(), ids=EXCEPTIONS.keys())
@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
def test_no_proxy_excludes(name: str, excluded: str, url: str, *, is_direct: bool) -> None:
    assert (None if is_direct else PROXY) == _url(ProxyRules(PROXY, {name: excluded}), url)


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    "proxy", ["http://alice:hunter2@proxy.example:many", "socks9://alice:hunter2@a.example:1", "alice:hunter2@[bad:1"]
)
def test_a_malformed_proxy_in_the_environment_is_rejected_without_its_password(
    name: str, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(SettingsError, match=f"{name}: expected host:port") as rejection:
        JSONClient()
    assert "hunter2" not in str(rejection.value)


def test_a_proxy_with_tls_is_rejected_where_libcurl_does_not_support_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "_supports_https_proxies", lambda: False)
    with pytest.raises(SettingsError, match="does not support https:// proxies"):
        JSONClient(proxy="https://proxy.example")


class _Recorder:
    """What a proxy has received, and where it listens."""

    def __init__(self) -> None:
        self.received: list[bytes] = []
        self.port = 0

    async def respond(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received.append(await reader.readuntil(b"\r\n\r\n"))
        await self._end(writer)

    async def respond_as_socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accept a user with a password (RFC 1929), and respond in place of the server (RFC 1928)."""
        _, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(b"\x05\x02")
        _, length = await reader.readexactly(2)
        self.received.append(await reader.readexactly(length))
        (length,) = await reader.readexactly(1)
        self.received.append(await reader.readexactly(length))
        writer.write(b"\x01\x00")
        *_, length = await reader.readexactly(5)
        self.received.append(await reader.readexactly(length))
        await reader.readexactly(2)
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await self.respond(reader, writer)

    @staticmethod
    async def _end(writer: asyncio.StreamWriter) -> None:
        writer.write(RESPONSE)
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def _running(recorder: _Recorder, kind: str = "http", tls: ssl.SSLContext | None = None) -> AsyncIterator[None]:
    respond = recorder.respond_as_socks if kind == "socks" else recorder.respond
    server = await asyncio.start_server(respond, "127.0.0.1", 0, ssl=tls)
    recorder.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


@pytest.mark.gen_test
async def test_a_proxy_without_a_scheme_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = _Recorder()
    async with _running(recorder):
        monkeypatch.setenv("HTTP_PROXY", f"alice:sec%2Fret@127.0.0.1:{recorder.port}")
        client = JSONClient()
        assert {"keys": []} == (await client.get("http://issuer.example/keys")).document
        client.close()
    assert recorder.received[0].startswith(b"GET http://issuer.example/keys HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"alice:sec/ret") in recorder.received[0]


@pytest.mark.gen_test
async def test_a_socks_proxy_resolves_the_name_of_the_issuer() -> None:
    recorder = _Recorder()
    async with _running(recorder, "socks"):
        client = JSONClient(proxy=f"socks5h://alice:sec%2Fret@127.0.0.1:{recorder.port}")
        assert {"keys": []} == (await client.get("http://issuer.example/keys")).document
        client.close()
    assert [b"alice", b"sec/ret", b"issuer.example"] == recorder.received[:3]
    assert recorder.received[3].startswith(b"GET /keys HTTP/1.1\r\n")


@pytest.mark.gen_test
async def test_a_proxy_is_reached_by_tls_with_the_certificates_of_the_settings(tmp_path: Path) -> None:
    authority, recorder = trustme.CA(), _Recorder()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    async with _running(recorder, tls=tls):
        proxy = f"https://127.0.0.1:{recorder.port}"
        client = JSONClient(proxy=proxy, ca_file=str(tmp_path / "ca.pem"))
        assert {"keys": []} == (await client.get("http://issuer.example/keys")).document
        client.close()
        untrusting = JSONClient(proxy=proxy)
        with pytest.raises(IssuerUnavailable, match="certificate"):
            await untrusting.get("http://issuer.example/keys")
        untrusting.close()
    assert 1 == len(recorder.received)


@pytest.mark.gen_test
async def test_one_client_uses_the_proxy_for_some_hosts_only(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = _Recorder()
    async with _running(recorder):
        monkeypatch.setenv("no_proxy", ".invalid")
        client = JSONClient(proxy=f"http://alice:secret@127.0.0.1:{recorder.port}")
        for _ in range(2):
            assert {"keys": []} == (await client.get("http://issuer.example/keys")).document
            with pytest.raises(IssuerUnavailable, match="resolve"):
                await client.get("http://issuer.invalid/keys")
        client.close()
    assert 2 == len(recorder.received)


def test_the_credentials_of_a_proxy_are_not_shown() -> None:
    assert "hunter2" not in repr(parse_proxy("http://alice:hunter2@proxy.example"))
