from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from prices import ROUTES
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock
from service.web.handler.context import ResourceServerContext

PAGE = "https://app.example.com"
Connect = Callable[..., Any]


@pytest.fixture
def clock(fake_issuer: RunningIssuer) -> ManualClock:
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, clock: ManualClock) -> Iterator[ResourceServerApplication]:
    settings = Settings(issuer=fake_issuer.issuer_url(), cors_origins=("https://*.example.com",))
    service = make_app(settings, routes=ROUTES, clock=clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def advance(app: ResourceServerApplication, clock: ManualClock) -> Callable[[float], Awaitable[None]]:
    """Return a function that advances the clock and checks every open token."""

    async def advance_and_check(seconds: float) -> None:
        clock.advance(seconds)
        context: ResourceServerContext = app.settings[ResourceServerContext.SETTING]
        await context.monitor.check_all()

    return advance_and_check


@pytest.fixture
def connect(base_url: str, http_server: HTTPServer, open_socket: Callable[..., Any]) -> Connect:
    async def open_price_socket(
        token: str | None, *subprotocols: str, offered: str | None = None, **headers: str
    ) -> WebSocketClientConnection:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        protocols = [*subprotocols, *([_token_subprotocol(offered)] if offered else [])]
        socket: WebSocketClientConnection = await open_socket(f"{base_url}/prices/socket", *protocols, **headers)
        return socket

    return open_price_socket


def _token_subprotocol(token: str) -> str:
    return "base64url.bearer.authorization." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


async def _send(socket: WebSocketClientConnection, message: object) -> dict[str, Any]:
    await socket.write_message(json.dumps(message))
    response = await socket.read_message()
    assert response is not None, socket.close_code
    return dict(json.loads(response))


async def _rejection(connection: Any) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as error:
        await connection
    response = error.value.response
    assert response is not None
    return error.value.code, next(iter(response.headers.get_list("WWW-Authenticate")), "")


@pytest.mark.gen_test
async def test_a_socket_is_closed_when_its_token_expires(
    connect: Connect, fake_issuer: RunningIssuer, advance: Callable[[float], Awaitable[None]]
) -> None:
    socket = await connect(fake_issuer.token(sub="alice@example.com", scp="api:read", expires_in=60))
    assert {"for": "alice@example.com", "price": 3} == await _send(socket, {})
    await advance(59)
    assert 3 == (await _send(socket, {}))["price"]
    await advance(1)
    assert await socket.read_message() is None
    assert 4401 == socket.close_code


@pytest.mark.gen_test
async def test_a_token_offered_as_a_subprotocol_is_never_selected(connect: Connect, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="api:read")
    for subprotocols, chosen in [(("prices.v1", "prices.v2"), "prices.v1"), ((), None)]:
        socket = await connect(None, *subprotocols, offered=token, Origin=PAGE)
        assert chosen == socket.selected_subprotocol
        assert "alice@example.com" == (await _send(socket, {}))["for"]


@pytest.mark.gen_test
async def test_a_connection_is_rejected_before_the_upgrade(connect: Connect, fake_issuer: RunningIssuer) -> None:
    valid = fake_issuer.token(scp="api:read")
    assert (401, 'Bearer realm="api"') == await _rejection(connect(None))
    for connection, status in [
        (connect("nonsense"), 401),
        (connect(None, offered="nonsense"), 401),
        (connect(fake_issuer.token(scp="api:write")), 403),
        (connect(valid, offered=valid), 400),
        (connect(None, _token_subprotocol(valid), offered=valid), 400),
        (connect(None, "base64url.bearer.authorization.a"), 400),
        (connect(None, offered="a b"), 400),
    ]:
        assert status == (await _rejection(connection))[0]


@pytest.mark.gen_test
async def test_a_page_of_another_origin_is_rejected_despite_a_valid_token(
    connect: Connect, fake_issuer: RunningIssuer, base_url: str
) -> None:
    valid = fake_issuer.token(scp="api:read")
    for origin in ("https://evil.example", "https://example.com", "null"):
        assert (403, "") == await _rejection(connect(None, offered=valid, Origin=origin))
    socket = await connect(None, offered=valid, Origin=base_url)
    assert 3 == (await _send(socket, {}))["price"]


@pytest.mark.gen_test
async def test_a_new_token_extends_the_life_of_the_socket(
    connect: Connect, fake_issuer: RunningIssuer, advance: Callable[[float], Awaitable[None]]
) -> None:
    mint = {"sub": "alice@example.com", "scp": "api:read"}
    socket = await connect(fake_issuer.token(**mint, expires_in=60))
    until = (await _send(socket, {"token": fake_issuer.token(**mint, expires_in=600)}))["until"]
    assert until - fake_issuer.clock.now() > 500
    await advance(61)
    assert "alice@example.com" == (await _send(socket, {}))["for"]
    await advance(600)
    assert await socket.read_message() is None
    assert 4401 == socket.close_code


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ({"sub": "alice@example.com", "scp": "api:write"}, 4403),
        ({"sub": "bob@example.com", "scp": "api:read"}, 4403),
        ({"sub": "alice@example.com", "scp": "api:read", "expires_in": -600}, 4401),
        (None, 4401),
    ],
)
@pytest.mark.gen_test
async def test_an_invalid_token_in_a_message_closes_the_socket(
    token: dict[str, Any] | None, code: int, connect: Connect, fake_issuer: RunningIssuer
) -> None:
    socket = await connect(fake_issuer.token(sub="alice@example.com", scp="api:read"))
    await socket.write_message(json.dumps({"token": fake_issuer.token(**token) if token else "a b"}))
    assert await socket.read_message() is None
    assert code == socket.close_code


@pytest.mark.parametrize(
    ("message", "code"), [("{", 1007), ("7", 1007), ('{"token": 7}', 4401), ('{"token": null}', 4401)]
)
@pytest.mark.gen_test
async def test_a_malformed_message_closes_the_socket(
    message: str, code: int, connect: Connect, fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await connect(fake_issuer.token(scp="api:read"))
    await socket.write_message(message)
    assert await socket.read_message() is None
    assert code == socket.close_code
    assert [] == [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.gen_test
async def test_an_event_stream_ends_when_its_token_expires(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, base_url: str, advance: Callable[[float], Awaitable[None]]
) -> None:
    received, checks = list[bytes](), list[asyncio.Future[None]]()

    def on_chunk(chunk: bytes) -> None:
        received.append(chunk)
        if len(received) == 2:
            checks.append(asyncio.ensure_future(advance(61)))

    token = fake_issuer.token(scp="api:read", expires_in=60)
    response = await http_client.fetch(
        f"{base_url}/prices/events", headers={"Authorization": f"Bearer {token}"}, streaming_callback=on_chunk
    )
    assert (200, "text/event-stream") == (response.code, response.headers["Content-Type"])
    assert received[0] == b'data: {"price": 3}\n\n'
    assert b"".join(received).endswith(b"event: token-ended\ndata: {}\n\n")
