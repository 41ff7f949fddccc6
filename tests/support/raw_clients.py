"""An application with plain handlers, and a client that sends bytes as they are."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tornado.web import Application, RequestHandler


class Echo(RequestHandler):
    """Returns the size of the body; ``/big`` sends more than the buffers of the system hold."""

    def get(self) -> None:
        self.write("x" * (32 * 1024 * 1024) if self.request.path == "/big" else "ok")

    def post(self) -> None:
        self.write({"received": len(self.request.body)})


class Pending(RequestHandler):
    """Responds when the test releases it."""

    release: asyncio.Event

    async def get(self) -> None:
        await self.release.wait()
        self.write("ok")


APPLICATION = Application([(r"/pending", Pending), (r"/.*", Echo)], log_function=lambda _: None)


@dataclass(frozen=True)
class Received:
    """A response, as its bytes."""

    raw: bytes

    @property
    def status(self) -> int:
        return int(self.raw.split(b" ", 2)[1]) if self.raw else 0

    @property
    def error(self) -> str:
        error: str = json.loads(self.raw.partition(b"\r\n\r\n")[2])["error"]
        return error


class Client:
    """A client that sends bytes as they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        with contextlib.suppress(ConnectionError):
            await self.writer.drain()

    async def read_to_end(self) -> Received:
        return Received(await self.reader.read())

    async def get(self, path: str) -> Received:
        """Send a request and return its response, which has a length."""
        await self.send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        return await self.read()

    async def read(self) -> Received:
        """Return the next response, which has a length."""
        header = await self.reader.readuntil(b"\r\n\r\n")
        length = int(header.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return Received(header + await self.reader.readexactly(length))


Connect = Callable[[], Any]
ServeWith = Callable[..., "contextlib.AbstractAsyncContextManager[Connect]"]
