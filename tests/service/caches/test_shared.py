from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
import servers

from service.caches import shared
from service.caches.shared import SharedCache, open_cache
from service.clock import ManualClock
from service.errors import SettingsError

Connect = Callable[[str], SharedCache]


async def _settle(cache: SharedCache) -> None:
    """Wait for what is written in the background."""
    await asyncio.gather(*cache._background)


@pytest.mark.gen_test
async def test_keeps_what_json_can_hold_and_forgets_it_when_told(cache: SharedCache) -> None:
    assert await cache.get("a") is None
    value = {"answer": {"active": True, "sub": "Zoë \N{SNOWMAN}", "n": 1.5}, "at": 1.25}
    cache.put("a", value, seconds=60)
    await _settle(cache)
    assert value == await cache.get("a")
    assert [value, None] == await cache.get_many(["a", "b"])
    cache.delete("a")
    await _settle(cache)
    assert await cache.get("a") is None
    assert 0 == cache.failures


@pytest.mark.gen_test
async def test_one_of_all_who_ask_is_told_to_find_out(cache: SharedCache) -> None:
    assert (None, True) == await cache.get_or_lock("a", seconds=5)
    assert (None, False) == await cache.get_or_lock("a", seconds=5)
    cache.release("a")
    await _settle(cache)
    assert (None, True) == await cache.get_or_lock("a", seconds=5)
    cache.put("a", 1, seconds=60)
    await _settle(cache)
    assert (1, False) == await cache.get_or_lock("a", seconds=5)


@pytest.mark.gen_test
async def test_an_answer_that_comes_between_looking_and_claiming_is_found(
    cache: SharedCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = cache._backend.add

    async def answered_before(*arguments: Any, **options: Any) -> Any:
        cache.put("a", 1, seconds=60)
        await _settle(cache)
        return await claim(*arguments, **options)

    monkeypatch.setattr(cache._backend, "add", answered_before)
    assert (1, False) == await cache.get_or_lock("a", seconds=5)
    cache.delete("a")
    await _settle(cache)
    monkeypatch.undo()
    assert (None, True) == await cache.get_or_lock("a", seconds=5)


@pytest.mark.gen_test
async def test_a_log_grows_by_one_place_at_a_time(cache: SharedCache) -> None:
    assert [True, True] == [await cache.append("log", word, seconds=60) for word in ("one", "two")]
    assert [2, "one", "two"] == await cache.get_many(["log:last", "log:1", "log:2"])


@pytest.mark.gen_test
async def test_says_whether_it_works(cache: SharedCache) -> None:
    assert await cache.ping()


@pytest.mark.gen_test
async def test_memory_has_a_bound(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MEMORY_CAPACITY", 3)
    cache = connect("memory://")
    for number in range(5):
        cache.put(str(number), number, seconds=60)
        await _settle(cache)
    assert [None, None, 2, 3, 4] == await cache.get_many([str(number) for number in range(5)])


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.gen_test
async def test_a_server_that_is_gone_costs_little_and_comes_back_by_itself(
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
        assert await cache.get("a") is None
        assert (None, True) == await cache.get_or_lock("a", seconds=5)
        assert not await cache.ping()
        assert 1 == cache.failures
        server.start()
        assert not await cache.ping()  # it is left alone for a moment
        clock.advance(shared.RETRY_INTERVAL)
        assert await _comes_back(cache, clock)
    assert ["shared cache available again"] == [r.message for r in caplog.records if "available again" in r.message]


async def _comes_back(cache: SharedCache, clock: ManualClock) -> bool:
    """Return whether it works again within a few tries, each of which may meet a connection that died."""
    for _ in range(5):
        if await cache.ping():
            return True
        clock.advance(shared.RETRY_INTERVAL)
    return False


@pytest.mark.gen_test
async def test_a_server_that_hangs_is_waited_for_once_and_only_so_long(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "TIMEOUT", 0.05)

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


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("", "expected memory://"),
        ("mongodb://127.0.0.1", "was mongodb://…"),
        ("redis://:secret@127.0.0.1:port", "is not an address"),
        ("redis://:secret@127.0.0.1/zero", "is not an address"),
    ],
)
def test_refuses_an_address_without_repeating_its_password(url: str, word: str, clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="cache_url") as refusal:
        open_cache(url, clock=clock)
    assert word in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_names_the_extra_that_is_missing(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "service.caches.memcached", raising=False)
    monkeypatch.setitem(sys.modules, "aiomcache", None)
    with pytest.raises(SettingsError, match=r"tornado-resource-server\[memcached\]"):
        open_cache("memcached://127.0.0.1", clock=clock)


def test_reads_user_password_database_and_certificates(clock: ManualClock) -> None:
    cache = open_cache("rediss://us%40er:p%2Fw@cache.example/3", clock=clock, ca_file="/ca.pem")
    options = cache._backend.client.connection_pool.connection_kwargs
    assert ("us@er", "p/w", 3, "/ca.pem") == tuple(options[k] for k in ("username", "password", "db", "ssl_ca_certs"))
    assert (6379, "cache.example") == (cache._backend.port, cache._backend.endpoint)
