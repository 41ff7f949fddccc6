from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy


class Source:
    """A remote value that counts fetches, and can fail, change or hang."""

    def __init__(self) -> None:
        self.fetches = 0
        self.version = 1
        self.max_age: float | None = None
        self.down = False
        self.retry_after = 0.0
        self.responding = asyncio.Event()
        self.responding.set()

    async def load(self) -> Loaded[list[int]]:
        self.fetches += 1
        await self.responding.wait()
        if self.down:
            raise IssuerUnavailable("it is down", retry_after=self.retry_after)
        return Loaded(value=[self.version], max_age=self.max_age)


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def refreshed(source: Source, clock: ManualClock) -> RefreshingCache[list[int]]:
    return RefreshingCache(source.load, name="the list", clock=clock)


async def _settle() -> None:
    """Run the background tasks until they wait."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.gen_test
async def test_concurrent_callers_share_one_fetch(source: Source, refreshed: RefreshingCache[list[int]]) -> None:
    assert [[1]] * 500 == await asyncio.gather(*(refreshed.get() for _ in range(500)))
    assert 1 == source.fetches


@pytest.mark.gen_test
async def test_a_cancelled_caller_does_not_cancel_the_fetch(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    source.responding.clear()
    cancelled, waiting = asyncio.create_task(refreshed.get()), asyncio.create_task(refreshed.get())
    await _settle()
    cancelled.cancel()
    await _settle()
    source.responding.set()
    assert [1] == await waiting
    assert cancelled.cancelled()
    assert 1 == source.fetches


@pytest.mark.parametrize(
    ("max_age", "age"), [(None, 600), (0, 60), (59, 60), (61, 61), (3599, 3599), (3601, 3600), (315_360_000, 3600)]
)
@pytest.mark.gen_test
async def test_max_age_is_bounded(
    max_age: float | None, age: float, source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    source.max_age = max_age
    await refreshed.get()
    clock.advance(age - 1)
    assert refreshed.fresh
    clock.advance(1)
    assert not refreshed.fresh


@pytest.mark.gen_test
async def test_a_copy_is_refreshed_in_the_background_before_it_is_stale(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.version = 2
    clock.advance(600 * 0.8 * 0.9 - 1)
    assert [1] == refreshed.current()
    assert 1 == source.fetches
    clock.advance(600 * 0.8 * 0.1 + 1)
    source.responding.clear()
    assert [1] == refreshed.current()
    assert refreshed.loading
    assert [1] == await refreshed.get()
    source.responding.set()
    await _settle()
    assert [2] == await refreshed.get()
    assert 2 == source.fetches


@pytest.mark.gen_test
async def test_a_stale_copy_is_refreshed_before_use(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.version = 2
    clock.advance(601)
    assert [2] == await refreshed.get()


@pytest.mark.gen_test
async def test_a_stale_copy_is_used_during_an_outage_until_stale_if_error_ends(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    clock.advance(601)
    for _ in range(24):
        assert [1] == await refreshed.get()
        clock.advance(3600)
    with pytest.raises(IssuerUnavailable, match="the list: it is down"):
        await refreshed.get()


@pytest.mark.gen_test
async def test_without_stale_if_error_a_stale_copy_is_not_used(source: Source, clock: ManualClock) -> None:
    refreshed = RefreshingCache(source.load, name="the list", clock=clock, policy=RefreshPolicy(stale_if_error=0))
    await refreshed.get()
    source.down = True
    clock.advance(601)
    with pytest.raises(IssuerUnavailable):
        await refreshed.get()


@pytest.mark.gen_test
async def test_after_a_failure_callers_do_not_wait_for_a_hanging_source(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    clock.advance(599)
    await refreshed.get()
    await _settle()
    source.responding.clear()
    clock.advance(60)
    assert [1] == await refreshed.get()
    assert refreshed.loading


@pytest.mark.gen_test
async def test_pauses_between_failing_fetches_grow(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    clock.advance(600)
    pauses = await _pauses(source, refreshed, clock, seconds=300)
    for pause, longest in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60], strict=False):
        assert 0.8 * longest <= pause <= longest


@pytest.mark.gen_test
async def test_pauses_stay_short_while_there_is_no_copy(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    source.down = True
    pauses = await _pauses(source, refreshed, clock, seconds=300)
    assert max(pauses) <= 2
    assert min(pauses[1:]) >= 1.6
    source.down = False
    clock.advance(2)
    assert [1] == await refreshed.get()


@pytest.mark.gen_test
async def test_one_success_among_failures_does_not_reset_the_backoff(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    clock.advance(600)
    await _pauses(source, refreshed, clock, seconds=120)
    source.down = False
    clock.advance(60)
    await refreshed.get()
    await _settle()
    source.down = True
    clock.advance(600)
    pauses = await _pauses(source, refreshed, clock, seconds=60)
    assert pauses[0] > 2


async def _pauses(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock, *, seconds: int
) -> list[float]:
    """Return the seconds between fetches while the copy is requested ten times a second."""
    fetched_at = []
    for _ in range(seconds * 10):
        before = source.fetches
        with contextlib.suppress(IssuerUnavailable):
            await refreshed.get()
        await _settle()
        if source.fetches > before:
            fetched_at.append(clock.monotonic())
        clock.advance(0.1)
    return [round(later - earlier - 0.1, 1) for earlier, later in itertools.pairwise(fetched_at)]


@pytest.mark.gen_test
async def test_retry_after_of_the_source_sets_the_pause(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    source.down, source.retry_after = True, 30.0
    with pytest.raises(IssuerUnavailable) as exc_info:
        await refreshed.get()
    assert 24 <= exc_info.value.retry_after <= 30
    clock.advance(23)
    assert refreshed.cooling_down


@pytest.mark.gen_test
async def test_an_outage_and_the_recovery_are_logged_once(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    source.down = True
    for _ in range(20):
        with pytest.raises(IssuerUnavailable):
            await refreshed.get()
        clock.advance(1)
    source.down = False
    clock.advance(60)
    assert [1] == await refreshed.get()
    assert [
        "refresh failed: resource=the list reason=it is down",
        f"refresh recovered: resource=the list failures={source.fetches - 1}",
    ] == [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


@pytest.mark.gen_test
async def test_concurrent_callers_share_one_refresh_within_the_budget(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    await refreshed.get()
    source.version = 2
    assert [True] * 100 == await asyncio.gather(*(refreshed.refresh_within_budget() for _ in range(100)))
    assert [2] == await refreshed.get()
    assert 2 == source.fetches


@pytest.mark.parametrize(("options", "most"), [({}, 1 + 2 + 60 / 10), ({"spare": True}, 1 + 60 / 10)])
@pytest.mark.gen_test
async def test_the_budget_limits_refreshes(
    options: dict[str, bool], most: float, source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    for _ in range(10_000):
        await refreshed.refresh_within_budget(**options)
        clock.advance(60 / 10_000)
    assert source.fetches <= most


@pytest.mark.gen_test
async def test_failed_fetches_count_against_the_budget(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    for _ in range(10_000):
        with pytest.raises(IssuerUnavailable):
            await refreshed.refresh_within_budget()
        clock.advance(60 / 10_000)
    assert source.fetches <= 1 + 2 + 60 / 10


@pytest.mark.gen_test
async def test_with_the_budget_used_up_no_refresh_starts_until_the_wait_is_over(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    assert [True, True, False] == [await refreshed.refresh_within_budget() for _ in range(3)]
    assert 3 == source.fetches
    assert 10 == refreshed.budget_wait
    clock.advance(10)
    assert 0 == refreshed.budget_wait
    assert await refreshed.refresh_within_budget()


@pytest.mark.gen_test
async def test_a_spare_refresh_leaves_the_budget_to_others_and_starts_only_while_there_is_one(
    refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    assert [True, False] == [await refreshed.refresh_within_budget(spare=True) for _ in range(2)]
    assert [True, True, False] == [await refreshed.refresh_within_budget() for _ in range(3)]
    clock.advance(9)
    assert not await refreshed.refresh_within_budget(spare=True)
    clock.advance(1)
    assert await refreshed.refresh_within_budget(spare=True)
    assert await refreshed.refresh_within_budget()


@pytest.mark.gen_test
async def test_a_fetch_that_has_just_ended_is_not_in_progress(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    async def call_at_the_end_of_the_fetch() -> bool:
        await source.responding.wait()  # continues after the fetch, and before the callbacks of its task
        return await refreshed.refresh_within_budget()

    source.responding.clear()
    fetch = asyncio.create_task(refreshed.get())
    await _settle()
    call = asyncio.create_task(call_at_the_end_of_the_fetch())
    await _settle()
    source.responding.set()
    await fetch
    assert await call
    assert 2 == source.fetches


@pytest.mark.gen_test
async def test_a_copy_is_newer_than_the_number_of_fetches_that_had_started_before_its_own(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    before = refreshed.fetches
    assert not refreshed.is_newer_than(before)
    source.responding.clear()
    fetch = asyncio.create_task(refreshed.get())
    await _settle()
    during = refreshed.fetches
    source.responding.set()
    await fetch
    assert refreshed.is_newer_than(before)
    assert not refreshed.is_newer_than(during)


@pytest.mark.gen_test
async def test_a_forced_refresh_ignores_the_age_the_budget_and_the_pause_after_a_failure(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    assert [1] == await refreshed.refresh_now()
    for version in range(2, 6):
        source.version = version
        assert [version] == await refreshed.refresh_now() == refreshed.current()
    source.down = True
    with pytest.raises(IssuerUnavailable, match="it is down"):
        await refreshed.refresh_now()
    assert [5] == await refreshed.get()  # a failed attempt does not withdraw the copy
    source.down, source.version = False, 6
    assert [6] == await refreshed.refresh_now()


@pytest.mark.gen_test
async def test_a_forced_refresh_without_any_copy_raises_issuer_unavailable(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    source.down = True
    with pytest.raises(IssuerUnavailable, match="it is down"):
        await refreshed.refresh_now()


@pytest.mark.gen_test
async def test_forced_refreshes_share_one_fetch_that_starts_after_the_one_in_progress(
    source: Source, refreshed: RefreshingCache[list[int]]
) -> None:
    source.responding.clear()
    earlier = asyncio.create_task(refreshed.get())
    await _settle()
    forced = [asyncio.create_task(refreshed.refresh_now()) for _ in range(100)]
    await _settle()
    source.responding.set()
    await earlier
    assert [[1]] * 100 == await asyncio.gather(*forced)
    assert 2 == source.fetches


@pytest.mark.gen_test
async def test_an_unexpected_error_is_logged_and_does_not_block_the_next_fetch(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    results: list[Loaded[int] | Exception] = [ZeroDivisionError(), Loaded(value=1, max_age=None)]

    async def load() -> Loaded[int]:
        result = results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    refreshed = RefreshingCache(load, name="the number", clock=clock)
    with pytest.raises(ZeroDivisionError):
        await refreshed.get()
    assert 1 == await refreshed.get()
    assert "refresh failed unexpectedly: resource=the number" in caplog.text


@pytest.mark.gen_test
async def test_closing_cancels_a_fetch(source: Source, refreshed: RefreshingCache[list[int]]) -> None:
    source.responding.clear()
    waiter = asyncio.create_task(refreshed.get())
    await _settle()
    await refreshed.close()
    await asyncio.gather(waiter, return_exceptions=True)
    assert not refreshed.loading
    await refreshed.close()


@given(st.lists(st.sampled_from(["up", "down", "get", "miss", "second", "minute", "hour"]), max_size=40))
def test_any_sequence_of_events_returns_usable_copies_and_limits_fetches(events: list[str]) -> None:
    async def play() -> None:
        clock, source = ManualClock(), Source()
        refreshed = RefreshingCache(source.load, name="the list", clock=clock)
        for event in events:
            if event in {"up", "down"}:
                source.down = event == "down"
            elif event in {"second", "minute", "hour"}:
                clock.advance({"second": 1, "minute": 60, "hour": 3600}[event])
            else:
                usable = refreshed.usable
                try:
                    await refreshed.get()
                    if event == "miss":
                        await refreshed.refresh_within_budget()
                except IssuerUnavailable:
                    assert event == "miss" or not refreshed.usable
                else:
                    assert usable or not source.down
        assert source.fetches <= 2 + clock.monotonic() + events.count("miss")
        await refreshed.close()

    asyncio.run(play())
