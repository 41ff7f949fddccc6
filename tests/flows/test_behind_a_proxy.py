"""An API behind proxies: whose headers are read, and what follows them, over real HTTP."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import tornado.httpserver
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.httputil import HTTPHeaders
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, Settings, make_app, protect
from service.errors import SettingsError
from service.web.connections.server import LimitedHTTPServer

SENT = {"X-Forwarded-For": "9.9.9.9, 192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "api.example"}
NAMES = {"google-iap", "cloudflare-access", "aws-alb", "oauth2-proxy"}


class Seen(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self) -> None:
        request = self.request
        self.write({"seen": [request.remote_ip, request.full_url(), request.host_name, request.headers["Host"]]})


class FromProxy(BearerAuthMixin, tornado.web.RequestHandler):
    token_sources: ClassVar = ["header", *sorted(NAMES)]

    def get(self) -> None:
        self.write({"user": self.principal.subject})


ROUTES = [("/seen", Seen), ("/token", FromProxy)]


def _settings(fake_issuer: RunningIssuer, *proxies: str) -> Settings:
    return Settings(issuer=fake_issuer.issuer_url(), trusted_proxies=proxies)


@pytest.fixture
def serve(io_loop: IOLoop, fake_issuer: RunningIssuer) -> Iterator[Callable[..., str]]:
    """Serve in one of the ways in which an application is served; return the URL."""
    opened: list[Any] = []

    def start(*proxies: str, how: str = "own", routes: Any = ROUTES) -> str:
        settings = _settings(fake_issuer, *proxies)
        if how == "own":
            service = make_app(settings, routes=routes)
            server: tornado.httpserver.HTTPServer = LimitedHTTPServer(service, limits=settings)
        else:
            application = tornado.web.Application(routes)
            service = protect(application, settings)
            server = tornado.httpserver.HTTPServer(application, xheaders=how == "xheaders")
        listening, port = bind_unused_port()
        server.add_sockets([listening])
        opened.append((server, service))
        return f"http://127.0.0.1:{port}"

    yield start
    for server, service in opened:
        server.stop()
        io_loop.run_sync(server.close_all_connections)
        io_loop.run_sync(service.close)


@pytest.mark.parametrize("how", ["own", "protected", "xheaders"])
@pytest.mark.gen_test
async def test_a_trusted_proxy_reports_the_client(
    how: str, serve: Callable[..., str], http_client: AsyncHTTPClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.access")
    url = serve("127.0.0.0/8", how=how)
    response = await http_client.fetch(f"{url}/seen", headers=SENT)
    assert ["192.0.2.1", "https://api.example/seen", "api.example", "api.example"] == json.loads(response.body)["seen"]
    response = await http_client.fetch(f"{url}/seen")
    assert "127.0.0.1" == json.loads(response.body)["seen"][0]
    if how == "own":
        logged = [vars(record)["remote_ip"] for record in caplog.records if record.name == "service.access"]
        assert ["192.0.2.1", "127.0.0.1"] == logged


@pytest.mark.parametrize("how", ["own", "protected", "xheaders"])
@pytest.mark.gen_test
async def test_another_peer_reports_nothing(how: str, serve: Callable[..., str], http_client: AsyncHTTPClient) -> None:
    url = serve("10.0.0.1", how=how)
    response = await http_client.fetch(f"{url}/seen", headers=SENT)
    host = url.removeprefix("http://")
    assert ["127.0.0.1", f"{url}/seen", "127.0.0.1", host] == json.loads(response.body)["seen"]


@pytest.mark.gen_test
async def test_the_resource_metadata_follows_the_proxy(serve: Callable[..., str], http_client: AsyncHTTPClient) -> None:
    url = serve("127.0.0.1")
    response = await http_client.fetch(f"{url}/.well-known/oauth-protected-resource", headers=SENT)
    assert json.loads(response.body)["resource"].startswith("https://api.example")


@pytest.mark.parametrize(
    ("header", "proxy", "status"),
    [
        ("X-Goog-IAP-JWT-Assertion", "127.0.0.1", 200),
        ("X-Goog-IAP-JWT-Assertion", "10.0.0.1", 200),
        ("Cf-Access-Jwt-Assertion", "10.0.0.1", 200),
        ("x-amzn-oidc-accesstoken", "127.0.0.1", 200),
        ("x-amzn-oidc-accesstoken", "10.0.0.1", 401),
        ("X-Forwarded-Access-Token", "127.0.0.1", 200),
        ("X-Forwarded-Access-Token", "10.0.0.1", 401),
    ],
)
@pytest.mark.gen_test
async def test_a_proxy_presents_the_token_in_a_header_of_its_own(
    header: str,
    proxy: str,
    status: int,
    serve: Callable[..., str],
    http_client: AsyncHTTPClient,
    fake_issuer: RunningIssuer,
) -> None:
    url = serve(proxy)
    token = fake_issuer.token(sub="alice@example.com")
    response = await http_client.fetch(f"{url}/token", headers={header: token}, raise_error=False)
    assert status == response.code
    if status == 200:
        assert header.lower() in response.headers["Vary"].lower()
        forged = await http_client.fetch(f"{url}/token", headers={header: f"{token[:-8]}AAAAAAAA"}, raise_error=False)
        assert 401 == forged.code
        both = {header: token, "Authorization": f"Bearer {token}"}
        assert 400 == (await http_client.fetch(f"{url}/token", headers=both, raise_error=False)).code


@pytest.mark.gen_test
async def test_two_tokens_in_the_header_of_a_proxy_are_rejected(
    serve: Callable[..., str], http_client: AsyncHTTPClient
) -> None:
    headers = HTTPHeaders()
    headers.add("X-Goog-IAP-JWT-Assertion", "a")
    headers.add("X-Goog-IAP-JWT-Assertion", "b")
    response = await http_client.fetch(f"{serve('10.0.0.1')}/token", headers=headers, raise_error=False)
    assert 400 == response.code


def test_a_source_that_no_request_could_use_stops_the_start(serve: Callable[..., str]) -> None:
    with pytest.raises(SettingsError, match="trusted_proxies: is not set, but token_sources holds 'aws-alb'"):
        serve()


def test_xheaders_beside_trusted_proxies_stop_the_start(fake_issuer: RunningIssuer, io_loop: IOLoop) -> None:
    service = make_app(_settings(fake_issuer, "127.0.0.1"), routes=ROUTES)
    with pytest.raises(SettingsError, match="remove xheaders"):
        service.listen(0, "127.0.0.1", xheaders=True)
    io_loop.run_sync(service.close)


@pytest.mark.gen_test
async def test_the_openapi_document_names_the_header(serve: Callable[..., str], http_client: AsyncHTTPClient) -> None:
    response = await http_client.fetch(f"{serve('127.0.0.1')}/openapi.json")
    document = json.loads(response.body)
    assert document["components"]["securitySchemes"].keys() >= NAMES
    assert "the header X-Forwarded-Access-Token" in document["paths"]["/token"]["get"]["description"]
