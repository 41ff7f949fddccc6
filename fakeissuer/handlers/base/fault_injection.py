"""Carrying out a fault: what a client sees go wrong happens here, on a real socket."""

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
    """Spoils replies on their way out; what takes time ends when the issuer stops."""

    def __init__(self) -> None:
        """Start with nothing under way."""
        self._stopping = asyncio.Event()
        self._streams: set[IOStream] = set()
        self._tasks: set[asyncio.Task[object] | None] = set()

    async def pause(self, seconds: float) -> None:
        """Wait for so many seconds, or until the issuer stops."""
        with self._under_way(), suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def send_faulty(self, stream: IOStream, reply: Reply, fault: Fault) -> None:
        """Write to the socket what the fault makes of a reply, and close it."""
        self._streams.add(stream)
        try:
            with self._under_way(), suppress(StreamClosedError):  # a client that has seen enough may leave
                async for chunk in SOCKET_FAULTS[fault.kind](reply, fault):
                    await (stream.write(chunk) if isinstance(chunk, bytes) else self.pause(chunk))
        finally:
            self._streams.discard(stream)
            stream.close()

    async def stop(self) -> None:
        """Let go of every connection that a fault still holds."""
        self._stopping.set()
        for stream in tuple(self._streams):
            stream.close()
        if tasks := [task for task in self._tasks if task is not None]:
            await asyncio.wait(tasks)

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            yield
        finally:
            self._tasks.discard(task)


def garbage(reply: Reply, _fault: Fault) -> Reply:
    """Return an answer that calls itself JSON and is none."""
    return replace(reply, status=200, body=b'{"keys": [{"kty": "RSA", \x00\xff this is not JSON')


def empty(reply: Reply, _fault: Fault) -> Reply:
    """Return an answer without a body."""
    return replace(reply, status=200, body=b"")


def content_type(reply: Reply, fault: Fault) -> Reply:
    """Return the right answer under a wrong name."""
    return replace(reply, headers={**reply.headers, "Content-Type": fault.content_type or "text/html"})


BODY_FAULTS: dict[str, Callable[[Reply, Fault], Reply]] = {
    "garbage": garbage,
    "empty": empty,
    "content_type": content_type,
}
"""Faults that are another answer, sent as HTTP should be."""

_Chunk = bytes | float
"""What goes on the wire next: bytes, or a pause in seconds."""


async def drop(_reply: Reply, _fault: Fault) -> AsyncIterator[_Chunk]:
    """Send nothing: the connection just ends."""
    yield b""


async def truncate(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send less of the body than the Content-Length promises."""
    kept = min(int(fault.amount(len(reply.body) // 2)), max(len(reply.body) - 1, 0))
    yield head(reply, max(len(reply.body), 1)) + reply.body[:kept]


async def drip(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send the body one byte at a time, with a pause before each."""
    yield head(reply, len(reply.body))
    for position in range(len(reply.body)):
        yield fault.amount(_DRIP_S)
        yield reply.body[position : position + 1]


async def huge(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send the right answer and then white space, so that its size is all that is wrong with it."""
    padding = max(int(fault.amount(_MANY_BYTES)) - len(reply.body), 0)
    yield head(reply, len(reply.body) + padding) + reply.body
    for chunk in _spaces(padding):
        yield chunk


async def gzip_bomb(reply: Reply, fault: Fault) -> AsyncIterator[_Chunk]:
    """Send a small gzip body that inflates to a large one: the right answer and then white space."""
    deflate = zlib.compressobj(level=9, wbits=zlib.MAX_WBITS | 16)  # 16 asks for gzip's frame (RFC 1952)
    packed = bytearray(deflate.compress(reply.body))
    for chunk in _spaces(max(int(fault.amount(_MANY_BYTES)) - len(reply.body), 0)):
        packed += deflate.compress(chunk)
        yield 0.0  # others are served while a large one is packed
    packed += deflate.flush()
    packed_reply = replace(reply, headers={**reply.headers, "Content-Encoding": "gzip"})
    yield head(packed_reply, len(packed)) + bytes(packed)


SOCKET_FAULTS: dict[str, Callable[[Reply, Fault], AsyncIterator[_Chunk]]] = {
    "drop": drop,
    "truncate": truncate,
    "drip": drip,
    "huge": huge,
    "gzip_bomb": gzip_bomb,
}
"""Faults that HTTP does not allow for, written to the socket as they are."""


def head(reply: Reply, content_length: int) -> bytes:
    """Return status line and headers, with the Content-Length that the fault wants (RFC 9112 section 2.1)."""
    headers = {**reply.headers, "Content-Length": str(content_length), "Connection": "close"}
    lines = [f"HTTP/1.1 {reply.status} {responses.get(reply.status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def _spaces(size: int) -> Iterator[bytes]:
    """Give so many _spaces, a chunk at a time."""
    for start in range(0, size, _CHUNK_BYTES):
        yield b" " * min(_CHUNK_BYTES, size - start)


def status_reply(fault: Fault, error_reply: Callable[[OAuthError], Reply]) -> Reply:
    """Return the answer that a fault asks for by its ``status``; without a body it is the refusal that fits."""
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
