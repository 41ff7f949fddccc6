"""The clock of the fake issuer as that of the API: one call moves the time for tokens, caches and connections."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection, WebSocketHandler

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, Settings, make_app, protect

Open = Callable[..., Awaitable[WebSocketClientConnection]]


class Things(BearerAuthMixin, tornado.web.RequestHandler):
    def get(self) -> None:
        self.write({"sub": self.principal.subject})


class Events(BearerAuthMixin, WebSocketHandler):
    """Sends nothing."""


ROUTES = [(r"/things", Things), (r"/events", Events)]


@pytest.fixture
def app(way: str, fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[tornado.web.Application]:
    settings = Settings.from_keywords(issuer=fake_issuer.issuer_url(), leeway=10)
    if way == "make_app":
        guard = make_app(settings, routes=ROUTES, clock=fake_issuer.clock)
    else:
        guard = protect(tornado.web.Application(ROUTES), settings, clock=fake_issuer.clock)
    yield guard.protected
    io_loop.run_sync(guard.close)


@pytest.mark.parametrize("way", ["make_app", "protect"])
@pytest.mark.gen_test
async def test_a_known_token_expires_when_the_issuers_clock_is_moved(
    way: str, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    headers = {"Authorization": f"Bearer {fake_issuer.token(expires_in=60)}"}

    async def status() -> int:
        return (await http_client.fetch(f"{base_url}/things", headers=headers, raise_error=False)).code

    fake_issuer.clock.freeze()
    assert 200 == await status()
    fake_issuer.clock.advance(60 + 9)
    assert 200 == await status()
    fake_issuer.clock.advance(2)
    assert 401 == await status()


@pytest.mark.parametrize("way", ["make_app"])
@pytest.mark.gen_test
async def test_a_socket_is_closed_when_the_issuers_clock_is_moved(
    way: str, fake_issuer: RunningIssuer, http_server: HTTPServer, base_url: str, open_socket: Open
) -> None:
    token = fake_issuer.token(expires_in=60)
    socket = await open_socket(f"{base_url}/events", Authorization=f"Bearer {token}")
    fake_issuer.clock.advance(60 + 11)
    assert await asyncio.wait_for(socket.read_message(), 10) is None
    assert 4401 == socket.close_code


@pytest.mark.parametrize("way", ["make_app"])
@pytest.mark.gen_test
async def test_the_keys_are_fetched_again_when_the_issuers_clock_is_moved(
    way: str, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str
) -> None:
    for _ in range(2):
        headers = {"Authorization": f"Bearer {fake_issuer.token()}"}
        assert 200 == (await http_client.fetch(f"{base_url}/things", headers=headers)).code
        fake_issuer.clock.advance(24 * 3600)
    assert 2 == fake_issuer.requests("keys").count
