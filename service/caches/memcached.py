"""aiocache's memcached with a client that survives its server: see what aiomcache 0.8.2 leaves undone."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import aiomcache
from aiocache.backends.memcached import MemcachedCache
from aiomcache.pool import Connection


class PatchedMemcachedCache(MemcachedCache):  # type: ignore[misc]  # aiocache has no types
    """Memcached, whose outages are errors."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.client = _PatchedClient(self.endpoint, self.port, pool_size=self.pool_size)


class _PatchedClient(aiomcache.Client):
    """Notices that a server hung up, and uses no connection again on which an answer is still to come."""

    async def _execute_simple_command(self, conn: Connection, raw_command: bytes) -> bytes:
        # aiomcache goes on reading at the end of the stream, and never yields: one server that hangs up within an
        # answer would stop the event loop, and with it the service, for good (aio-libs/aiomcache#502).
        with _closed_on_failure(conn):
            conn.writer.write(raw_command)
            await conn.writer.drain()
            line = await conn.reader.readline()
            if not line.endswith(b"\r\n"):
                raise ConnectionResetError("memcached hung up within an answer")
        return line[:-2]

    async def _multi_get(self, conn: Connection, *keys: bytes, **options: Any) -> Any:
        with _closed_on_failure(conn):
            return await super()._multi_get(conn, *keys, **options)


@contextlib.contextmanager
def _closed_on_failure(conn: Connection) -> Iterator[None]:
    """Mark a connection as unusable when whoever waits for its answer waits no more.

    aiomcache gives it back to the pool after a cancellation, where the next command would read the answer to this one:
    two deny list entries could then be given one number, and one of them would be lost.
    """
    try:
        yield
    except BaseException as exc:
        conn.reader.set_exception(exc if isinstance(exc, Exception) else ConnectionAbortedError("nobody waited"))
        raise
