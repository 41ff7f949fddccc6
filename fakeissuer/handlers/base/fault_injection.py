"""The execution of faults: changed replies, and raw writes to the socket."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.client import responses

from tornado.iostream import IOStream, StreamClosedError

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.records import to_json
from fakeissuer.responses.reply import CASE_FOR_STATUS, JSON, Reply
from fakeissuer.state.faults import Fault

_CHUNK_BYTES = 65_536
_MANY_BYTES = 50_000_000
_DRIP_S = 1.0


class FaultInjector:
    """Send faulty replies; faults that take time end when the issuer stops."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._streams: set[IOStream] = set()
        self._tasks: set[asyncio.Task[object] | None] = set()

    async def pause(self, seconds: float) -> None:
        """Wait for this many seconds, or until the issuer stops."""
        with self._running(), suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def send_faulty(self, stream: IOStream, reply: Reply, fault: Fault) -> None:
        """Write a reply to the socket with a fault, and close the socket."""
        self._streams.add(stream)
        try:
            with self._running(), suppress(StreamClosedError):  # the client may disconnect early
                async for chunk in SOCKET_FAULTS[fault.kind](reply, fault):
                    await (stream.write(chunk) if isinstance(chunk, bytes) else self.pause(chunk))
        finally:
            self._streams.discard(stream)
            stream.close()

    async def stop(self) -> None:
        """Close every connection that a fault keeps open."""
        self._stopping.set()
        for stream in tuple(self._streams):
            stream.close()
        if tasks := [task for task in self._tasks if task is not None]:
            await asyncio.wait(tasks)

    @contextmanager
    def _running(self) -> Iterator[None]:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)


def garbage(reply: Reply, _fault: Fault) -> Reply:
    """Return a reply with the media type of JSON and a body that is not JSON."""
    return replace(reply, status=200, body=b'{"keys": [{"kty": "RSA", \x00\xff this is not JSON')


def empty(reply: Reply, _fault: Fault) -> Reply:
    """Return a reply without a body."""
    return replace(reply, status=200, body=b"")


def content_type(reply: Reply, fault: Fault) -> Reply:
    """Return the reply with a wrong ``Content-Type``."""
    return replace(reply, headers={**reply.headers, "Content-Type": fault.content_type or "text/html"})


BODY_FAULTS: dict[str, Callable[[Reply, Fault], Reply]] = {
    "garbage": garbage,
    "empty": empty,
    "content_type": content_type,
}
"""Faults that change the reply; Tornado sends it."""

_Chunk = bytes | float
"""Bytes to write, or a pause in seconds."""


async def drop(_reply: Reply, _fault: Fault) -> AsyncIterator[_Chunk]:
    """Send nothing; the connection is closed."""
    yield b""


async def truncate(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send fewer bytes than the ``Content-Length`` announces."""
    size = min(int(fault.amount(len(reply.body) // 2)), max(len(reply.body) - 1, 0))
    yield head(reply, max(len(reply.body), 1)) + reply.body[:size]


async def drip(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send the body one byte at a time, with a pause before each."""
    yield head(reply, len(reply.body))
    for position in range(len(reply.body)):
        yield fault.amount(_DRIP_S)
        yield reply.body[position : position + 1]


async def huge(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send the reply followed by spaces, so that only its size is wrong."""
    padding = max(int(fault.amount(_MANY_BYTES)) - len(reply.body), 0)
    yield head(reply, len(reply.body) + padding) + reply.body
    for chunk in _spaces(padding):
        yield chunk


async def gzip_bomb(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send a small gzip body that inflates to a large one: the reply followed by spaces."""
    deflate = zlib.compressobj(level=9, wbits=zlib.MAX_WBITS | 16)  # 16 selects the gzip format (RFC 1952)
    compressed = bytearray(deflate.compress(reply.body))
    for chunk in _spaces(max(int(fault.amount(_MANY_BYTES)) - len(reply.body), 0)):
        compressed += deflate.compress(chunk)
        yield 0.0  # other requests are served in between
    compressed += deflate.flush()
    compressed_reply = replace(reply, headers={**reply.headers, "Content-Encoding": "gzip"})
    yield head(compressed_reply, len(compressed)) + bytes(compressed)


SOCKET_FAULTS: dict[str, Callable[[Reply, Fault], AsyncIterator[_Chunk]]] = {
    "drop": drop,
    "truncate": truncate,
    "drip": drip,
    "huge": huge,
    "gzip_bomb": gzip_bomb,
}
"""Faults that violate HTTP or take time, written to the socket directly."""


def head(reply: Reply, content_length: int) -> bytes:
    """Return the status line and the headers with this ``Content-Length`` (RFC 9112 section 2.1)."""
    headers = {**reply.headers, "Content-Length": str(content_length), "Connection": "close"}
    lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _spaces(size: int) -> Iterator[bytes]:
    for start in range(0, size, _CHUNK_BYTES):
        yield b" " * min(_CHUNK_BYTES, size - start)


def status_reply(fault: Fault, error_reply: Callable[[OAuthError], Reply]) -> Reply:
    """Return the reply of a fault with a ``status``; without a ``body`` it has the error body for that status."""
    status = fault.status or 200
    headers = fault.headers or {}
    if isinstance(fault.body, str):
        return Reply(status, fault.body.encode(), headers).with_defaults(JSON)
    if fault.body is not None:
        return Reply(status, to_json(fault.body), headers).with_defaults(JSON)
    if status < 400:
        return Reply(status, headers=headers)
    other = ErrorCase.BODY_UNREADABLE if status < 500 else ErrorCase.INTERNAL
    error = OAuthError(CASE_FOR_STATUS.get(status, other))
    return replace(error_reply(error), status=status, headers=headers).with_defaults(JSON)
