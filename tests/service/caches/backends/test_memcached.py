from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from service.caches.backends.memcached import PatchedMemcachedCache

NEVER = None


class Scripted:
    """A server with a list of responses for each connection, which it closes after the last one."""

    def __init__(self, *scripts: Sequence[bytes | None]) -> None:
        self._scripts = iter(scripts)
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for response in next(self._scripts):
            await reader.read(1000)
            if response is NEVER:
                await reader.read()
            else:
                writer.write(response)
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[PatchedMemcachedCache]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            cache = PatchedMemcachedCache(port=server.sockets[0].getsockname()[1], pool_size=1, timeout=None)
            yield cache
            await cache.close()


@pytest.mark.parametrize("response", [b"", b"STO", b"STORED\n"], ids=["nothing", "half of it", "another line end"])
@pytest.mark.gen_test
async def test_a_connection_closed_within_a_response_raises_an_error_and_does_not_block_the_event_loop(
    response: bytes,
) -> None:
    script = Scripted([response], [b"DELETED\r\n"])
    async with script.running() as cache:
        with pytest.raises(ConnectionResetError):
            await cache.set("key", 1)
        assert await cache.delete("key")
    assert 2 == script.connections


@pytest.mark.parametrize("command", ["increment", "get"])
@pytest.mark.gen_test
async def test_the_response_to_a_cancelled_command_is_not_read_by_the_next_one(command: str) -> None:
    script = Scripted([NEVER], [b"2\r\n"])
    async with script.running() as cache:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await getattr(cache, command)("key")
        assert 2 == await asyncio.wait_for(cache.increment("key"), 5)
    assert 2 == script.connections
