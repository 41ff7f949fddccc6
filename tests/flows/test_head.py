"""HEAD responds as GET does on every endpoint of the three programs, and no response names a version of Tornado."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.web import Application

from fakeissuer import RunningIssuer
from service import LimitedHTTPServer, ResourceServerApplication, Settings, make_app
from service.clock import ManualClock
from service.operations.admin.application import make_admin_app
from service.operations.admin.hosts import ForeignHost
from service.operations.metrics.metrics import Metrics

Fetch = Callable[..., Awaitable[HTTPResponse]]
EACH_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
UNPREDICTABLE = {"X-Request-Id", "Date", "X-Okta-Request-Id", "Set-Cookie", "Location", "Transfer-Encoding"}
"""Fields that differ from request to request, or that only frame the content (RFC 9112 section 6.1)."""

SERVICE = {
    "/healthz": 200,
    "/readyz": 200,
    "/.well-known/oauth-protected-resource": 200,
    "/.well-known/oauth-protected-resource/api": 200,
    "/openapi.json": 200,
    "/docs": 200,
    "/api/hello": 200,
    "/api/whoami": 200,
    "/auth": 200,
    "/nowhere": 404,
}
TOKEN = "operators-only-0123456789-abcdefghij"
ADMIN = {"/healthz": 200, "/readyz": 200, "/metrics": 200, "/deny-list": 200, "/key-sets/refresh": 405, "/nowhere": 404}
ISSUER = {
    "/oauth2/default/.well-known/openid-configuration": 200,
    "/.well-known/oauth-authorization-server/oauth2/default": 200,
    "/oauth2/default/v1/keys": 200,
    "/oauth2/v1/keys": 200,
    "/oauth2/default/v1/userinfo": 200,
    "/oauth2/default/v1/authorize?client_id=0oaweb00000000000001&response_type=code&redirect_uri=http://127.0.0.1:1/c"
    "&scope=openid&state=xyz&nonce=n": 302,
    "/oauth2/default/v1/authorize": 400,
    "/oauth2/default/v1/logout": 400,
    "/oauth2/default/v1/token": 405,
    "/oauth2/v1/clients/0oaweb00000000000001": 200,
    "/api/v1/authorizationServers/default/credentials/keys": 200,
    "/api/v1/authn": 405,
    "/signin": 400,
    "/activate": 200,
    "/nowhere": 404,
    "/_fake/": 200,
    "/_fake/clock": 200,
    "/_fake/keys": 200,
    "/_fake/faults": 200,
    "/_fake/requests?latest=0": 200,
    "/_fake/bad-tokens": 200,
    "/_fake/good-tokens": 200,
    "/_fake/approvals": 200,
    "/_fake/users/alice@example.com": 200,
    "/_fake/tokens": 405,
    "/_fake/reset": 405,
    "/_fake/nowhere": 404,
}


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[ResourceServerApplication]:
    service = make_app(Settings(issuer=fake_issuer.issuer_url(), forward_auth=True))
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def admin(app: ResourceServerApplication) -> Application:
    return make_admin_app(
        app.deny_list,
        clock=ManualClock(),
        tokens={"alice": TOKEN},
        metrics=Metrics(),
        health=app.health,
        foreign_host=ForeignHost("127.0.0.1", []),
    )


@asynccontextmanager
async def _listening(application: Any, *, server_class: type[HTTPServer] = HTTPServer) -> AsyncIterator[str]:
    server = server_class(application)
    server.listen(0, "127.0.0.1")
    (listening,) = server._sockets.values()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.stop()


@pytest.fixture
def fetch(http_client: AsyncHTTPClient) -> Fetch:
    async def send(url: str, method: str, **headers: str) -> HTTPResponse:
        return await http_client.fetch(
            url,
            method=method,
            headers=headers,
            follow_redirects=False,
            allow_nonstandard_methods=True,
            raise_error=False,
        )

    return send


async def _compare(fetch: Fetch, url: str, status: int, **headers: str) -> None:
    get, head = [await fetch(url, method, **headers) for method in ("GET", "HEAD")]
    assert (status, status, b"") == (get.code, head.code, head.body), url
    assert _fields(get).keys() == _fields(head).keys(), url
    # The control plane returns new tokens, the time, and a nonce, and an entity tag of each.
    if "/_fake/" not in url:
        assert _fields(get) == _fields(head), url


def _fields(response: HTTPResponse) -> dict[str, str]:
    fields = {name: value for name, value in response.headers.items() if name not in UNPREDICTABLE}
    return {name: re.sub("'nonce-[^']*'", "'nonce'", value) for name, value in fields.items()}


@pytest.mark.gen_test
async def test_head_responds_as_get_on_the_service(base_url: str, fetch: Fetch, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token()
    for path, status in SERVICE.items():
        await _compare(fetch, base_url + path, status, Authorization=f"Bearer {token}")
    await _compare(fetch, f"{base_url}/api/whoami", 401)


@pytest.mark.gen_test
async def test_head_responds_as_get_on_the_admin_port(admin: Application, fetch: Fetch) -> None:
    async with _listening(admin) as url:
        for path, status in ADMIN.items():
            await _compare(fetch, url + path, status, Authorization=f"Bearer {TOKEN}")
        await _compare(fetch, f"{url}/deny-list", 401)


@pytest.mark.gen_test
async def test_head_responds_as_get_on_the_fake_issuer(fetch: Fetch, fake_issuer: RunningIssuer) -> None:
    fake_issuer.clock.freeze()
    user = fake_issuer.token(sub="alice@example.com", scp="openid")
    for path, status in ISSUER.items():
        is_api = path.startswith(("/oauth2/v1/clients", "/api/"))
        credentials = "SSWS test" if is_api else f"Bearer {user}"
        await _compare(fetch, fake_issuer.url + path, status, Authorization=credentials)
    await _compare(fetch, f"{fake_issuer.url}/_fake/", 200, Accept="text/html")


@pytest.mark.gen_test(timeout=60)
async def test_no_response_names_a_version_of_tornado(
    base_url: str, admin: Application, fetch: Fetch, fake_issuer: RunningIssuer
) -> None:
    async with _listening(admin) as admin_url:
        for base, paths in ((base_url, SERVICE), (admin_url, ADMIN), (fake_issuer.url, ISSUER)):
            for path in paths:
                for method in EACH_METHOD:
                    response = await fetch(base + path, method)
                    assert response.headers.get("Server") in {None, "nginx"}, (path, method)
            for headers in ({"Host": "evil.example"}, {"Content-Type": "multipart/form-data"}):
                response = await fetch(base + next(iter(paths)), "POST", **headers)
                assert response.headers.get("Server") in {None, "nginx"}


@pytest.mark.parametrize(
    "request_text",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /api/hello HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999\r\n\r\n",
        b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
    ids=lambda text: text[:40],
)
@pytest.mark.gen_test
async def test_an_error_before_a_handler_runs_names_no_version(
    request_text: bytes, app: ResourceServerApplication, admin: Application, fake_issuer: RunningIssuer
) -> None:
    async with (
        _listening(app, server_class=LimitedHTTPServer) as limited,
        _listening(app) as plain,
        _listening(admin) as admin_url,
    ):
        for url in (fake_issuer.url, limited, plain, admin_url):
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
            writer.write(request_text)
            writer.write_eof()
            assert b"tornado" not in (await asyncio.wait_for(reader.read(), 10)).lower()
            writer.close()
