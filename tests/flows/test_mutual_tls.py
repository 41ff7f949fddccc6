"""Tokens that are bound to client certificates: over TLS to the program, behind a real nginx, and over WebSockets."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import ssl
import subprocess
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import nginx
import pytest
import tornado.web
from certificates import Authority, Certificate
from programs import Start, curl, free_port, listening
from pydantic import SecretStr
from seeded_clients import API
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest, HTTPResponse
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketHandler, websocket_connect

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, Guard, ResourceServerApplication, Settings, make_app
from service.errors import InvalidToken, Reason
from service.operations.sockets.certificates import tls_context
from service.web.connections.server import LimitedHTTPServer

NGINX = """
    server {{
        listen 127.0.0.1:{port} ssl;
        ssl_certificate localhost.pem;
        ssl_certificate_key localhost.key;
        ssl_client_certificate ca.pem;
        ssl_verify_client optional;
        location / {{
            proxy_pass {service};
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
        }}
    }}
"""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Certificate:
    return authority.issue("localhost")


@pytest.fixture
def own(authority: Authority) -> Certificate:
    return authority.issue("client.example")


@pytest.fixture
def other(authority: Authority) -> Certificate:
    return authority.issue("other.example")


@pytest.fixture
def bound(fake_issuer: RunningIssuer, own: Certificate) -> str:
    return fake_issuer.token(sub="alice@example.com", x5t_s256=own.thumbprint)


def _escaped(certificate: Certificate) -> str:
    return urllib.parse.quote(certificate.pem, safe="")


def _whoami(url: str, token: str, *arguments: str) -> tuple[int, str]:
    status, body = curl("-H", f"Authorization: Bearer {token}", *arguments, f"{url}/api/whoami")
    return status, "" if status < 400 else json.loads(body)["error"]


def test_the_program_accepts_a_bound_token_with_its_certificate_only(
    start: Start, fake_issuer: RunningIssuer, authority: Authority, server: Certificate, own: Certificate,
    other: Certificate, bound: str, tmp_path: Path,
) -> None:  # fmt: skip
    program = start(
        "service", "--issuer", fake_issuer.issuer_url(), "--port", "0", "--certfile", str(server.file),
        "--keyfile", str(server.key_file), "--client-ca", str(authority.file),
    )  # fmt: skip
    url = listening(program).replace("127.0.0.1", "localhost")
    trust = ["--cacert", str(authority.file)]
    rejected = (401, "invalid_token")
    assert (200, "") == _whoami(url, bound, *trust, *own.curl)
    assert rejected == _whoami(url, bound, *trust, *other.curl)
    assert rejected == _whoami(url, bound, *trust)
    for name in ("Client-Cert", "X-SSL-Client-Cert"):
        assert rejected == _whoami(url, bound, *trust, "-H", f"{name}: {_escaped(own)}")
    unbound = fake_issuer.token(sub="alice@example.com")
    assert (200, "") == _whoami(url, unbound, *trust)
    assert (200, "") == _whoami(url, unbound, *trust, *other.curl)
    metadata = json.loads(curl(*trust, f"{url}/.well-known/oauth-protected-resource")[1])
    assert metadata["tls_client_certificate_bound_access_tokens"] is True
    (tmp_path / "stranger").mkdir()
    stranger = Authority(tmp_path / "stranger").issue("client.example")
    with pytest.raises(subprocess.CalledProcessError):  # the handshake fails
        _whoami(url, bound, *trust, *stranger.curl)
    assert (200, "") == _whoami(url, bound, *trust, *own.curl)


@pytest.fixture
def proxied(
    server: Certificate, authority: Authority, tmp_path: Path
) -> Callable[[str], AbstractAsyncContextManager[str]]:
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed; Debian has it")
    assert server.file.parent == authority.file.parent == tmp_path

    def run(service: str) -> AbstractAsyncContextManager[str]:
        port = free_port()
        return nginx.running(tmp_path, port=port, http=NGINX.format(port=port, service=service))

    return run


@pytest.mark.gen_test
async def test_behind_nginx_a_bound_token_is_accepted_with_its_certificate_only(
    start: Start, fake_issuer: RunningIssuer, authority: Authority, own: Certificate, other: Certificate, bound: str,
    proxied: Callable[[str], AbstractAsyncContextManager[str]],
) -> None:  # fmt: skip
    settings = {"SERVICE_CLIENT_CERTIFICATE_HEADER": "X-SSL-Client-Cert", "SERVICE_TRUSTED_PROXIES": "127.0.0.1"}
    arguments = ("service", "--issuer", fake_issuer.issuer_url(), "--port", "0")
    direct = listening(start(*arguments, **settings))
    untrusting = listening(start(*arguments, **(settings | {"SERVICE_TRUSTED_PROXIES": "10.0.0.1"})))
    trust, rejected = ["--cacert", str(authority.file)], (401, "invalid_token")
    own_header = ["-H", f"X-SSL-Client-Cert: {_escaped(own)}"]

    async def whoami(url: str, *arguments: str) -> tuple[int, str]:
        return await asyncio.to_thread(_whoami, url.replace("http://127.0.0.1", "https://localhost"), *arguments)

    async with proxied(direct) as url:
        assert (200, "") == await whoami(url, bound, *trust, *own.curl)
        assert rejected == await whoami(url, bound, *trust, *other.curl)
        assert rejected == await whoami(url, bound, *trust)
        assert rejected == await whoami(url, bound, *trust, *own_header)
        assert rejected == await whoami(url, bound, *trust, *other.curl, *own_header)
        assert (200, "") == await whoami(url, fake_issuer.token(), *trust)
    async with proxied(untrusting) as url:
        assert rejected == await whoami(url, bound, *trust, *own.curl)
    # A client that reaches the service past the proxy cannot set the field either.
    assert rejected == await asyncio.to_thread(_whoami, untrusting, bound, *own_header)


FIELDS: dict[str, tuple[str, Callable[[Certificate], str]]] = {
    "RFC 9440": ("Client-Cert", lambda own: f":{base64.b64encode(own.der).decode()}:"),
    "nginx": ("X-SSL-Client-Cert", _escaped),
    "ingress-nginx": ("ssl-client-cert", _escaped),
    "AWS": ("X-Amzn-Mtls-Clientcert", lambda own: urllib.parse.quote(own.pem, safe="+=/") * 2),
    "HAProxy": ("X-Client-Cert", lambda own: base64.b64encode(own.der).decode()),
    "Apache": ("X-Client-Cert", lambda own: own.pem.strip().replace("\n", " ")),
    "Envoy with a hash": ("X-Forwarded-Client-Cert", lambda own: f"By=spiffe://a/b;Hash={own.digest.hex()}"),
    "Envoy with a certificate": (
        "X-Forwarded-Client-Cert",
        lambda own: (
            f'Hash={"0" * 64},By=spiffe://a/b;Hash={own.digest.hex()};Cert="{_escaped(own)}";Subject="CN=\\"a,"'
        ),
    ),
}


@pytest.mark.parametrize("proxy", FIELDS)
@pytest.mark.gen_test
async def test_each_proxy_reports_the_certificate_in_its_own_way(
    proxy: str, fake_issuer: RunningIssuer, own: Certificate, other: Certificate, bound: str,
    listen: Callable[[ResourceServerApplication], str], http_client: AsyncHTTPClient,
) -> None:  # fmt: skip
    name, encode = FIELDS[proxy]

    async def status(proxies: str, *values: str) -> tuple[int, str]:
        settings = Settings(issuer=fake_issuer.issuer_url(), trusted_proxies=(proxies,), client_certificate_header=name)
        request = HTTPRequest(f"{listen(make_app(settings))}/api/whoami")
        request.headers["Authorization"] = f"Bearer {bound}"
        for value in values:
            request.headers.add(name, value)
        response: HTTPResponse = await http_client.fetch(request, raise_error=False)
        return response.code, "" if response.code == 200 else json.loads(response.body)["error"]

    assert (200, "") == await status("127.0.0.1", encode(own))
    assert (401, "invalid_token") == await status("127.0.0.1", encode(other))
    assert (401, "invalid_token") == await status("127.0.0.1")
    assert (401, "invalid_token") == await status("10.0.0.1", encode(own))
    assert (400, "invalid_request") == await status("127.0.0.1", encode(other), encode(own))
    assert (400, "invalid_request") == await status("127.0.0.1", encode(own)[:-4])


class AnySource(BearerAuthMixin, tornado.web.RequestHandler):
    """Reads tokens everywhere."""

    token_sources = ("header", "form", "query", "cookie")
    token_cookie = "token"  # a name

    def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        self.write("data: hello\n\n")

    post = get


class Mine(BearerAuthMixin, tornado.web.RequestHandler):
    dpop = "required"

    def get(self) -> None:
        self.write({})


def _bearer(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


PLACES: dict[str, Callable[[str], tuple[str, dict[str, Any]]]] = {
    "a header": lambda token: ("/any", _bearer(token)),
    "a form": lambda token: ("/any", {"method": "POST", "body": urllib.parse.urlencode({"access_token": token})}),
    "a query": lambda token: (f"/any?access_token={token}", {}),
    "a cookie": lambda token: ("/any", {"headers": {"Cookie": f"token={token}"}}),
    "forward authentication": lambda token: ("/auth/orders", _bearer(token)),  # as Envoy sends it
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["jwt", "opaque"])
@pytest.mark.gen_test
async def test_a_bound_token_works_nowhere_without_its_certificate(
    place: str, kind: str, fake_issuer: RunningIssuer, own: Certificate, other: Certificate,
    listen: Callable[[ResourceServerApplication], str], http_client: AsyncHTTPClient,
) -> None:  # fmt: skip
    token = fake_issuer.token(sub="alice@example.com", x5t_s256=own.thumbprint, opaque=kind == "opaque")
    client_id, client_secret = API.split(":")
    settings = Settings(
        issuer=fake_issuer.issuer_url(), client_id=client_id, client_secret=SecretStr(client_secret), forward_auth=True,
        trusted_proxies=("127.0.0.1",), client_certificate_header="X-SSL-Client-Cert",
        validation="introspection" if kind == "opaque" else "jwt",
    )  # fmt: skip
    url = listen(make_app(settings, routes=[("/any", AnySource), ("/mine", Mine)]))

    async def status(certificate: Certificate | None, path: str, options: dict[str, Any]) -> int:
        request = HTTPRequest(url + path, **options)
        if certificate is not None:
            request.headers["X-SSL-Client-Cert"] = _escaped(certificate)
        return (await http_client.fetch(request, raise_error=False)).code

    path, options = PLACES[place](token)
    statuses = [await status(certificate, path, options) for certificate in (own, other, None, own)]
    assert [200, 401, 401, 200] == statuses
    dpop = {"headers": {"Authorization": f"DPoP {token}"}}
    assert 401 == await status(own, "/any", dpop)
    assert 401 == await status(own, "/mine", _bearer(token))


class Echo(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that takes a token in each message."""

    optional = True

    async def on_message(self, message: str | bytes) -> None:
        try:
            await self.reauthenticate(str(message))
        except InvalidToken as exc:
            await self.write_message(exc.reason)
        else:
            await self.write_message(str(self.principal.subject))


@pytest.fixture
def tls_url(
    io_loop: IOLoop, fake_issuer: RunningIssuer, authority: Authority, server: Certificate
) -> Iterator[Callable[..., str]]:
    """Serve over TLS, with client certificates of the authority, and return the URL."""
    opened: list[Any] = []

    def serve(**settings: Any) -> str:
        files: dict[str, Any] = {
            "certfile": str(server.file),
            "keyfile": str(server.key_file),
            "client_ca": str(authority.file),
        }
        made = Settings(issuer=fake_issuer.issuer_url(), **files, **settings)
        service = make_app(made, routes=[("/socket", Echo), ("/whoami", WhoAmI)])
        context = tls_context(made.certfile, made.keyfile, client_ca=made.client_ca)
        listener = LimitedHTTPServer(service, limits=made, ssl_options=context)
        listening_socket, port = bind_unused_port()
        listener.add_sockets([listening_socket])
        opened.append((listener, service))
        return f"https://localhost:{port}"

    yield serve
    for listener, service in opened:
        listener.stop()
        io_loop.run_sync(listener.close_all_connections)
        io_loop.run_sync(service.close)


class WhoAmI(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"sub": self.principal.subject})


@pytest.mark.gen_test
async def test_a_websocket_accepts_tokens_of_the_certificate_of_its_handshake_only(
    tls_url: Callable[..., str], authority: Authority, own: Certificate, other: Certificate, bound: str,
    fake_issuer: RunningIssuer,
) -> None:  # fmt: skip
    url = tls_url().replace("https", "wss")
    foreign = fake_issuer.token(sub="alice@example.com", x5t_s256=other.thumbprint)

    def handshake(token: str | None, certificate: Certificate | None) -> HTTPRequest:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return HTTPRequest(f"{url}/socket", headers=headers, ssl_options=authority.client_context(certificate))

    for first in (None, bound):
        connection = await websocket_connect(handshake(first, own))
        await connection.write_message(bound)
        assert "alice@example.com" == await connection.read_message()
        await connection.write_message(foreign)
        assert Reason.SENDER_CONSTRAINED == await connection.read_message()
        connection.close()
    for certificate in (None, other):
        with pytest.raises(HTTPClientError, match="401"):
            await websocket_connect(handshake(bound, certificate))
        connection = await websocket_connect(handshake(None, certificate))
        await connection.write_message(bound)
        assert Reason.SENDER_CONSTRAINED == await connection.read_message()
        connection.close()


@pytest.mark.gen_test
async def test_the_certificate_of_a_trusted_proxy_is_not_that_of_its_clients(
    tls_url: Callable[..., str], authority: Authority, own: Certificate, bound: str, http_client: AsyncHTTPClient
) -> None:
    async def status(url: str) -> int:
        context: ssl.SSLContext = authority.client_context(own)
        headers = {"Authorization": f"Bearer {bound}"}
        return (await http_client.fetch(f"{url}/whoami", headers=headers, ssl_options=context, raise_error=False)).code

    assert 200 == await status(tls_url(trusted_proxies=("10.0.0.1",)))
    assert 401 == await status(tls_url(trusted_proxies=("127.0.0.1",)))


@pytest.mark.gen_test
async def test_a_guard_checks_the_certificate_that_a_proxy_reports(
    fake_issuer: RunningIssuer, own: Certificate, bound: str
) -> None:
    settings = Settings(
        issuer=fake_issuer.issuer_url(), trusted_proxies=("10.0.0.1",), client_certificate_header="X-SSL-Client-Cert"
    )
    guard = Guard(settings)
    try:
        headers = [("Authorization", f"Bearer {bound}"), ("X-SSL-Client-Cert", _escaped(own))]
        trusted = guard.request("GET", "https://api.example/", headers, remote_ip="10.0.0.1")
        principal = await guard.authenticate(trusted)
        assert principal is not None
        assert "alice@example.com" == principal.subject
        with pytest.raises(InvalidToken) as rejection:
            await guard.authenticate(guard.request("GET", "https://api.example/", headers, remote_ip="10.0.0.2"))
        assert Reason.SENDER_CONSTRAINED is rejection.value.reason
    finally:
        await guard.close()
