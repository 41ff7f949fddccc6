"""aiocache's memcached backend, with fixes for lost connections and cancellations in aiomcache 0.8.2."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import aiomcache
from aiocache.backends.memcached import MemcachedCache
from aiomcache.pool import Connection


class PatchedMemcachedCache(MemcachedCache):  # type: ignore[misc]  # aiocache has no types
    """A memcached backend that raises an error when the server is unavailable."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client = _PatchedClient(self.endpoint, self.port, pool_size=self.pool_size)


class _PatchedClient(aiomcache.Client):
    """A client that detects closed connections, and does not reuse a connection with a pending response."""

    async def _execute_simple_command(self, conn: Connection, raw_command: bytes) -> bytes:
        # aiomcache reads on at the end of the stream without yielding, so a server that closes the connection
        # within a response would block the event loop forever (aio-libs/aiomcache#502).
        with _closed_on_failure(conn):
            conn.writer.write(raw_command)
            await conn.writer.drain()
            line = await conn.reader.readline()
            if not line.endswith(b"\r\n"):
                raise ConnectionResetError("memcached closed the connection within a response")
        return line[:-2]

    async def _multi_get(self, conn: Connection, *keys: bytes, **options: Any) -> Any:
        with _closed_on_failure(conn):
            return await super()._multi_get(conn, *keys, **options)


@contextlib.contextmanager
def _closed_on_failure(conn: Connection) -> Iterator[None]:
    """Mark a connection as unusable if the command on it fails or is cancelled.

    aiomcache returns the connection to the pool after a cancellation, where the next command would read the
    response to this one: two deny list entries could get the same number, and one of them would be lost.
    """
    try:
        yield
    except BaseException as exc:
        conn.reader.set_exception(exc if isinstance(exc, Exception) else ConnectionAbortedError("cancelled"))
        raise
