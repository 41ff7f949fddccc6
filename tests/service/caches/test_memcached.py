from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from service.caches.memcached import PatchedMemcachedCache

NEVER = None


class Scripted:
    """A server with a list of answers for each connection, which hangs up behind the last of them."""

    def __init__(self, *scripts: Sequence[bytes | None]) -> None:
        self._scripts = iter(scripts)
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        for answer in next(self._scripts):
            await reader.read(1000)
            if answer is NEVER:
                await reader.read()
            else:
                writer.write(answer)
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[PatchedMemcachedCache]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            cache = PatchedMemcachedCache(port=server.sockets[0].getsockname()[1], pool_size=1, timeout=None)
            yield cache
            await cache.close()


@pytest.mark.parametrize("answer", [b"", b"STO", b"STORED\n"], ids=["nothing", "half of it", "another line end"])
@pytest.mark.gen_test
async def test_a_server_that_hangs_up_within_an_answer_is_an_error_and_does_not_stop_the_event_loop(
    answer: bytes,
) -> None:
    script = Scripted([answer], [b"DELETED\r\n"])
    async with script.running() as cache:
        with pytest.raises(ConnectionResetError):
            await cache.set("key", 1)
        assert await cache.delete("key")
    assert 2 == script.connections


@pytest.mark.parametrize("command", ["increment", "get"])
@pytest.mark.gen_test
async def test_an_answer_that_nobody_waited_for_is_not_read_by_the_next_command(command: str) -> None:
    script = Scripted([NEVER], [b"2\r\n"])
    async with script.running() as cache:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await getattr(cache, command)("key")
        assert 2 == await asyncio.wait_for(cache.increment("key"), 5)
    assert 2 == script.connections
