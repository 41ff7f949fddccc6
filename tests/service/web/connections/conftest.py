from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from raw_clients import APPLICATION, Client, Connect, Pending, ServeWith
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from service.settings.groups.limits import LimitSettings
from service.web.connections.server import LimitedHTTPServer


@pytest.fixture
def serve_with(io_loop: IOLoop) -> ServeWith:
    """Return a context manager that serves with some limits, and yields a function that connects."""

    @contextlib.asynccontextmanager
    async def serve(server: HTTPServer | None = None, **limits: Any) -> AsyncIterator[Connect]:
        Pending.release = asyncio.Event()
        server = server or LimitedHTTPServer(APPLICATION, limits=LimitSettings(**limits))
        server.listen(0, "127.0.0.1")
        (listening,) = server._sockets.values()
        port = listening.getsockname()[1]
        clients = []

        async def connect() -> Client:
            client = Client(*await asyncio.open_connection("127.0.0.1", port))
            clients.append(client)
            return client

        try:
            yield connect
        finally:
            for client in clients:
                client.writer.close()
            server.stop()
            await server.close_all_connections()

    return serve
