from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
import servers

from service.caches import shared
from service.caches.replays import ProofsUnavailable, TooManyProofs, UsedProofs
from service.caches.shared import SharedCache, open_cache
from service.clock import ManualClock

Connect = Callable[[str], SharedCache]

PERIOD = 65.0


@pytest.fixture
def used(clock: ManualClock) -> UsedProofs:
    return UsedProofs(open_cache("memory://", clock=clock), clock=clock, period=PERIOD)


@pytest.mark.gen_test
async def test_a_proof_is_new_once(used: UsedProofs) -> None:
    assert await used.add("key", "one")
    assert not await used.add("key", "one")
    assert await used.add("key", "two")
    assert await used.add("another key", "one")
    assert not used.is_shared


@pytest.mark.gen_test
@pytest.mark.parametrize("step", [0.0, 1.0, 32.0, 64.9])
async def test_a_proof_is_remembered_for_the_whole_period(used: UsedProofs, clock: ManualClock, step: float) -> None:
    clock.advance(step)
    assert await used.add("key", "one")
    clock.advance(PERIOD - 0.1)
    assert not await used.add("key", "one")


@pytest.mark.gen_test
async def test_memory_is_flat_however_many_proofs_are_used(clock: ManualClock) -> None:
    used = UsedProofs(open_cache("memory://", clock=clock), clock=clock, period=PERIOD, capacity=100)
    for number in range(1000):
        assert await used.add("key", str(number))
        clock.advance(1)
    assert 2 * PERIOD >= len(used._current) + len(used._previous)
    clock.advance(2 * PERIOD)
    assert await used.add("key", "0")  # long after its proof has expired
    assert 1 == len(used._current) + len(used._previous)


@pytest.mark.gen_test
async def test_proofs_that_could_not_be_recognized_later_are_not_accepted(clock: ManualClock) -> None:
    used = UsedProofs(open_cache("memory://", clock=clock), clock=clock, period=PERIOD, capacity=2)
    assert [True, True, False] == [await used.add("key", jti) for jti in ("one", "two", "one")]
    clock.advance(5)
    with pytest.raises(TooManyProofs) as exc_info:
        await used.add("key", "three")
    assert PERIOD - 5 == exc_info.value.retry_after
    clock.advance(PERIOD)
    assert await used.add("key", "three")


def _two(connect: Connect, url: str, clock: ManualClock, *, requires_cache: bool = False) -> list[UsedProofs]:
    """Return the used proofs of two processes."""
    return [
        UsedProofs(connect(url), clock=clock, period=PERIOD, requires_cache=requires_cache) for _ in ("first", "second")
    ]


@pytest.mark.gen_test
@pytest.mark.parametrize("kind", ["redis", "memcached"])
async def test_of_a_thousand_copies_in_two_processes_one_is_new(
    kind: str, connect: Connect, clock: ManualClock
) -> None:
    with servers.running(kind) as server:
        first, second = _two(connect, server.url, clock)
        results = await asyncio.gather(*(used.add("key", "one") for used in [first, second] * 500))
        assert 1 == results.count(True)
        assert (first.is_shared, first.unshared) == (True, 0)


@pytest.mark.gen_test
async def test_while_the_shared_cache_is_unavailable_a_proof_is_new_once_in_each_process(
    connect: Connect, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with servers.running("redis") as server:
        first, second = _two(connect, server.url, clock)
        strict, _ = _two(connect, server.url, clock, requires_cache=True)
        assert await first.add("key", "one")
        server.stop()
        assert [True, False] == [await first.add("key", "two"), await first.add("key", "two")]
        assert [True, False] == [await second.add("key", "two"), await second.add("key", "two")]
        assert not await first.add("key", "one")
        assert (1, 1) == (first.unshared, second.unshared)
        assert "a proof is recorded in this process only" in caplog.text
        with pytest.raises(ProofsUnavailable):
            await strict.add("key", "three")
        server.start()
        clock.advance(shared.RETRY_INTERVAL)
        assert [True, False] == [await first.add("key", "four"), await second.add("key", "four")]
