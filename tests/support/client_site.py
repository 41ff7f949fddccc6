"""A small web site of its own origin, for the pages of a client: Tornado on a thread, so that a test can wait."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

# An icon that needs no asking: a browser would ask for one when it likes, and complain if the site is gone by then.
HEAD = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">'


class Page(RequestHandler):
    """A page that says what it is told to say, however it is asked."""

    def initialize(self, html: str = "<title>client</title>", headers: dict[str, str] | None = None) -> None:
        self.html, self.headers = html, headers or {}

    def get(self) -> None:
        for name, value in self.headers.items():
            self.set_header(name, value)
        self.finish(f"{HEAD}{self.html}")

    post = get


class Redirect(RequestHandler):
    """The way to another page, with the query that came."""

    def initialize(self, url: str) -> None:
        self.url = url

    def get(self) -> None:
        self.redirect(f"{self.url}?{self.request.query}", status=303)

    post = get


@contextlib.contextmanager
def site(*routes: Any, host: str = "127.0.0.1") -> Iterator[str]:
    """Serve these routes, as Tornado's ``Application`` takes them, and give the URL; without any, an empty page."""
    started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(routes or ((".*", Page),), started)), daemon=True)
    thread.start()
    port, loop, stopping = started.result(10)
    try:
        yield f"http://{host}:{port}"
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)


async def _serve(routes: Any, started: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]]) -> None:
    application = Application(list(routes), log_function=lambda _: None)
    server, stopping = HTTPServer(application), asyncio.Event()
    sockets = bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    started.set_result((sockets[0].getsockname()[1], asyncio.get_running_loop(), stopping))
    await stopping.wait()
    server.stop()
    await server.close_all_connections()
