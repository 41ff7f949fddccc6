from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
from tornado.httpserver import HTTPServer
from tornado.websocket import WebSocketHandler, websocket_connect

from service.web.application.application import ResourceServerApplication
from service.web.connections.limit_log import LimitLog
from service.web.handler import websocket_limits
from service.web.handler.mixin import BearerAuthMixin

HANDSHAKE = (
    b"GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Quiet(BearerAuthMixin, WebSocketHandler):
    public = True

    def on_message(self, message: str | bytes) -> None:
        """Ignore it."""


@pytest.fixture(autouse=True)
def app(serve: Callable[..., ResourceServerApplication], monkeypatch: pytest.MonkeyPatch) -> ResourceServerApplication:
    monkeypatch.setattr(websocket_limits, "_log", LimitLog())
    return serve(
        [(r"/socket", Quiet)],
        websocket_max_message_size=1000,
        websocket_ping_interval=1,
        websocket_ping_timeout=1,
    )


async def _logged_limit(caplog: pytest.LogCaptureFixture) -> str:
    while True:  # the log has no event
        for record in caplog.records:
            if hasattr(record, "limit"):
                return str(record.limit)
        await asyncio.sleep(0.02)


@pytest.mark.gen_test
async def test_a_message_over_the_limit_closes_the_connection_and_is_logged(
    http_server: HTTPServer, base_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    connection = await websocket_connect(f"{base_url.replace('http', 'ws')}/socket")
    await connection.write_message("x" * 1001)
    assert await connection.read_message() is None
    assert 1009 == connection.close_code
    connection.close()
    assert "websocket_max_message_size" == await _logged_limit(caplog)


@pytest.mark.gen_test
async def test_a_client_that_does_not_respond_to_a_ping_is_disconnected_and_logged(
    http_server: HTTPServer, http_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_connection(("127.0.0.1", http_port)) as client:
        client.sendall(HANDSHAKE)
        assert "websocket_ping_interval" == await _logged_limit(caplog)


@pytest.mark.gen_test
async def test_an_old_version_is_left_to_tornado(http_server: HTTPServer, http_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(HANDSHAKE.replace(b"Version: 13", b"Version: 8"))
    assert (await reader.readuntil(b"\r\n"))[9:12] in {b"101", b"426"}  # Tornado supports it up to 6.5
    writer.close()
