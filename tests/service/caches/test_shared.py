from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import servers
from certificates import Authority

from service.caches import shared
from service.caches.authentication import ValueAuthenticator
from service.caches.backends import memory
from service.caches.shared import SharedCache, open_cache
from service.clock import ManualClock
from service.errors import SettingsError

Connect = Callable[[str], SharedCache]


async def _settle(cache: SharedCache) -> None:
    """Wait for writes in the background."""
    await asyncio.gather(*cache._background)


@pytest.mark.gen_test
async def test_json_values_can_be_stored_and_deleted(cache: SharedCache) -> None:
    assert [None] == await cache.get_many(["a"])
    value = {"response": {"active": True, "sub": "Zoë \N{SNOWMAN}", "n": 1.5}, "at": 1.25}
    cache.put("a", value, seconds=60)
    await _settle(cache)
    assert [value, None] == await cache.get_many(["a", "b"])
    assert await cache.set_many({"a": 1, "b": [2]})
    assert [1, [2]] == await cache.get_many(["a", "b"])
    cache.delete("a")
    await _settle(cache)
    assert [None, [2]] == await cache.get_many(["a", "b"])
    assert 0 == cache.failures


@pytest.mark.gen_test
async def test_one_of_several_callers_gets_the_lock(cache: SharedCache) -> None:
    assert (None, True) == await cache.get_or_lock("a", seconds=5)
    assert (None, False) == await cache.get_or_lock("a", seconds=5)
    cache.release("a")
    await _settle(cache)
    assert (None, True) == await cache.get_or_lock("a", seconds=5)
    cache.put("a", 1, seconds=60)
    await _settle(cache)
    assert (1, False) == await cache.get_or_lock("a", seconds=5)


@pytest.mark.gen_test
async def test_a_value_stored_between_the_lookup_and_the_lock_is_found(
    cache: SharedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = cache._backend.add

    async def put_before_add(*arguments: Any, **options: Any) -> Any:
        cache.put("a", 1, seconds=60)
        await _settle(cache)
        return await add(*arguments, **options)

    monkeypatch.setattr(cache._backend, "add", put_before_add)
    assert (1, False) == await cache.get_or_lock("a", seconds=5)
    cache.delete("a")
    await _settle(cache)
    monkeypatch.undo()
    assert (None, True) == await cache.get_or_lock("a", seconds=5)


@pytest.mark.gen_test
async def test_the_memory_backend_has_a_capacity(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CAPACITY", 3)
    cache = connect("memory://")
    for number in range(5):
        cache.put(str(number), number, seconds=60)
        await _settle(cache)
    assert [None, None, 2, 3, 4] == await cache.get_many([str(number) for number in range(5)])


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.gen_test
async def test_an_outage_causes_one_failure_per_interval_and_recovers_by_itself(
    kind: str,
    connect: Connect,
    clock: ManualClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with servers.running(kind) as server:
        cache = connect(server.url)
        cache.put("a", 1, seconds=60)
        await _settle(cache)
        server.stop()
        assert (None, True) == await cache.get_or_lock("a", seconds=5)
        assert not await servers.responds(cache)
        assert 1 == cache.failures
        assert await cache.get_many(["a"]) is None  # no request waits for these
        assert not await cache.set_many({"a": 1})
        assert 3 == cache.failures
        server.start()
        assert not await servers.responds(cache)  # no call is made before the interval ends
        clock.advance(shared.RETRY_INTERVAL)
        assert await _recovers(cache, clock)
    assert {"shared cache unavailable: error=%(error)s cause=%(cause)r", "shared cache available again"} == {
        record.msg for record in caplog.records if record.name == "service.caches.shared"
    }
    assert 1 == caplog.messages.count("shared cache available again")


async def _recovers(cache: SharedCache, clock: ManualClock) -> bool:
    """Return whether the cache recovers within a few calls, each of which may get a lost connection."""
    for _ in range(5):
        if await servers.responds(cache):
            return True
        clock.advance(shared.RETRY_INTERVAL)
    return False


@pytest.mark.gen_test
async def test_a_hanging_server_causes_one_timeout(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "TIMEOUT", 0.2)

    async def swallow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    cache = connect(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    started = time.monotonic()
    for _ in range(20):
        assert (None, True) == await cache.get_or_lock("a", seconds=5)
    assert shared.TIMEOUT <= time.monotonic() - started < 10 * shared.TIMEOUT
    assert 1 == cache.failures
    await cache.close()
    server.close()


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.gen_test
async def test_values_of_an_attacker_are_misses_and_no_outage(
    kind: str, connect: Connect, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with servers.running(kind) as server:
        cache, other = connect(server.url), open_cache(server.url, clock=clock, key=b"another")
        sealed = ValueAuthenticator(b"another").seal("a", 1)
        assert await cache.set_many({"b": 1})
        copied = await cache._backend.get("b")
        for forged in ("", "1", "{}", "0" * 64 + "1", sealed, copied, "\N{SNOWMAN}"):
            await cache._backend.set("a", forged)
            assert [None, 1] == await cache.get_many(["a", "b"])
            assert (None, True) == await cache.get_or_lock("a", seconds=5)
            cache.release("a")
            await _settle(cache)
        assert 0 == cache.failures
        assert [None] == await other.get_many(["b"])
        await other.close()
    assert 2 == len(caplog.messages)  # one for each cache, since an attacker decides how many there could be
    assert {"value in the shared cache is not authentic; another program has written it"} == set(caplog.messages)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "expected memory://"),
        ("mongodb://127.0.0.1", "was mongodb://…"),
        ("redis://:secret@127.0.0.1:port", "is not a URL"),
    ],
)
def test_an_invalid_url_is_rejected_without_repeating_its_password(url: str, word: str, clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="cache_url") as exc_info:
        open_cache(url, clock=clock)
    assert word in str(exc_info.value)
    assert "secret" not in str(exc_info.value)


def test_the_error_names_the_missing_extra(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "service.caches.backends.memcached", raising=False)
    monkeypatch.setitem(sys.modules, "aiomcache", None)
    with pytest.raises(SettingsError, match=r"tornado-resource-server\[memcached\]"):
        open_cache("memcached://127.0.0.1", clock=clock)


def test_the_url_provides_user_password_and_database(clock: ManualClock, tmp_path: Path) -> None:
    ca_file = str(Authority(tmp_path).file)
    cache = open_cache("rediss://us%40er:p%2Fw@cache.example/3", clock=clock, ca_file=ca_file)
    options = cache._backend.client.connection_pool.connection_kwargs
    assert ("us@er", "p/w", 3, ca_file) == tuple(options[k] for k in ("username", "password", "db", "ssl_ca_certs"))
    assert (6379, "cache.example") == (options["port"], options["host"])
