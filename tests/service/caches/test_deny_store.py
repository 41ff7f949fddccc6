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
    with pytest.raises(RuntimeError):
        await store.refresh()
    assert ["poll of the deny list failed unexpectedly"] == caplog.messages
    assert store._timer is not None
    await store.close()


@pytest.mark.gen_test
async def test_a_poll_does_not_wait_for_a_change_of_an_operator(connect: Connect, clock: ManualClock) -> None:
    """The change waits longer for a slow cache than a request may."""
    store = _store(connect("redis://127.0.0.1:1"), clock)
    async with store._replica_lock:
        await store.refresh()
    await store.close()


@pytest.mark.gen_test
async def test_a_change_is_shared_although_other_calls_have_just_failed(connect: Connect, clock: ManualClock) -> None:
    with servers.running("redis") as server:
        cache = connect(server.url)
        store = _store(cache, clock)
        await store.refresh()
        server.stop()
        assert await cache.get_many(["a"]) is None
        server.start()
        assert await cache.get_many(["a"]) is None  # no call is made for a second
        record = store.records.new(("jti", "one", None), expires_at=clock.now() + 60)
        assert (await store.publish(store.records.merge([record]))).shared
        await store.close()
