from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import servers

from service.caches.deny_store import DenyStore
from service.caches.shared import SharedCache
from service.clock import ManualClock

Connect = Callable[[str], SharedCache]


def _store(cache: SharedCache, clock: ManualClock) -> DenyStore:
    return DenyStore(cache, clock=clock, file=None, on_received=lambda _: None)


@pytest.mark.gen_test
async def test_closing_waits_for_a_poll_in_progress(connect: Connect, clock: ManualClock) -> None:
    with servers.running("redis") as server:
        store = _store(connect(server.url), clock)
        polls = [asyncio.ensure_future(store.refresh()) for _ in range(2)]
        await asyncio.sleep(0)
        await store.close()
        assert store.fresh_until > clock.monotonic()
        await asyncio.gather(*polls)
        assert store._timer is None


@pytest.mark.gen_test
async def test_polls_share_one_timer(connect: Connect, clock: ManualClock) -> None:
    with servers.running("redis") as server:
        store = _store(connect(server.url), clock)
        await store.refresh()
        first = store._timer
        assert first is not None
        await store.refresh()
        assert first.cancelled()
        await store.close()


@pytest.mark.gen_test
async def test_an_unexpected_failure_of_a_poll_is_logged_and_the_next_poll_follows(
    connect: Connect, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    store = _store(connect("redis://127.0.0.1:1"), clock)

    async def fail(**_: object) -> None:
        raise RuntimeError("a mistake")

    store._replica.sync = fail  # type: ignore[union-attr, method-assign]
    await store.refresh()
    assert ["poll of the deny list failed unexpectedly"] == caplog.messages
    assert store._timer is not None
    await store.close()


@pytest.mark.gen_test
async def test_a_change_is_shared_although_other_calls_have_just_failed(connect: Connect, clock: ManualClock) -> None:
    with servers.running("redis") as server:
        cache = connect(server.url)
        store = _store(cache, clock)
        await store.refresh()
        server.stop()
        assert not await servers.responds(cache)
        server.start()
        assert not await servers.responds(cache)  # no request tries it for a second
        record = store.records.new(("jti", "one", None), expires_at=clock.now() + 60)
        assert (await store.publish(store.records.merge([record]))).shared
        await store.close()


@pytest.mark.gen_test
async def test_a_process_that_starts_after_a_flush_waits_for_another_one_to_restore_the_entries(
    connect: Connect, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with servers.running("redis") as server:
        cache = connect(server.url)
        live, late, next_one = (_store(connect(server.url), clock) for _ in range(3))
        await live.publish(live.records.merge([live.records.new(("jti", "one", None), expires_at=clock.now() + 60)]))
        await live.refresh()
        await cache._backend.client.flushall()
        monkeypatch.setattr("service.caches.deny_store.RESTORE_TIME", 1.5)
        await late.refresh()  # the live process polls by itself
        assert 1 == len(list(late.records.in_force()))
        await next_one.refresh()  # nothing is missing any more
        assert 1 == len(list(next_one.records.in_force()))
        for store in (live, late, next_one):
            await store.close()


@pytest.mark.gen_test
async def test_closing_does_not_wait_for_other_processes(
    connect: Connect, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.deny_store.RESTORE_TIME", 1000.0)
    with servers.running("redis") as server:
        store = _store(connect(server.url), clock)
        poll = asyncio.ensure_future(store.refresh())
        while store._settled_at is None:  # noqa: ASYNC110  # nothing sets an event
            await asyncio.sleep(0)
        await store.close()
        await poll


@pytest.mark.gen_test
async def test_requests_wait_for_a_slow_cache_at_the_start_only(
    connect: Connect, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.deny_store._REQUEST_TIMEOUT", 0.01)
    cache = connect("redis://127.0.0.1:1")
    document: list[object] | None = None

    async def get_many(_: list[str]) -> list[object] | None:
        await asyncio.sleep(0.1)
        return document

    cache.get_many = get_many  # type: ignore[method-assign, assignment]
    unavailable, available = _store(cache, clock), _store(cache, clock)
    waited = []
    for _ in range(3):
        await unavailable.refresh()
        waited.append(unavailable._refreshing is None)
    assert [True, True, False] == waited
    assert unavailable.fresh_until > clock.monotonic()  # one request a second waits
    document = [{}]
    waited = []
    for _ in range(2):
        await available.refresh()
        waited.append(available._refreshing is None)
    assert [True, False] == waited
    for store in (unavailable, available):
        await store.close()
