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
    """Something remote: counts how often it is asked, and answers when it is told to."""

    def __init__(self) -> None:
        self.fetches = 0
        self.version = 1
        self.max_age: float | None = None
        self.down = False
        self.retry_after = 0.0
        self.answering = asyncio.Event()
        self.answering.set()

    async def load(self) -> Loaded[list[int]]:
        self.fetches += 1
        await self.answering.wait()
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
    """Let what runs in the background run to its next wait."""
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.gen_test
async def test_one_fetch_serves_all_who_wait(source: Source, refreshed: RefreshingCache[list[int]]) -> None:
    assert [[1]] * 500 == await asyncio.gather(*(refreshed.get() for _ in range(500)))
    assert 1 == source.fetches


@pytest.mark.gen_test
async def test_a_cancelled_waiter_cancels_nobody(source: Source, refreshed: RefreshingCache[list[int]]) -> None:
    source.answering.clear()
    impatient, patient = asyncio.create_task(refreshed.get()), asyncio.create_task(refreshed.get())
    await _settle()
    impatient.cancel()
    await _settle()
    source.answering.set()
    assert [1] == await patient
    assert impatient.cancelled()
    assert 1 == source.fetches


@pytest.mark.parametrize(
    ("max_age", "age"), [(None, 600), (0, 60), (59, 60), (61, 61), (3599, 3599), (3601, 3600), (315_360_000, 3600)]
)
@pytest.mark.gen_test
async def test_keeps_a_copy_as_long_as_its_issuer_says_within_bounds(
    max_age: float | None, age: float, source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    source.max_age = max_age
    await refreshed.get()
    clock.advance(age - 1)
    assert refreshed.fresh
    clock.advance(1)
    assert not refreshed.fresh


@pytest.mark.gen_test
async def test_renews_ahead_in_the_background_and_nobody_waits(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.version = 2
    clock.advance(600 * 0.8 * 0.9 - 1)
    assert [1] == refreshed.current()
    assert 1 == source.fetches
    clock.advance(600 * 0.8 * 0.1 + 1)
    source.answering.clear()
    assert [1] == refreshed.current()
    assert refreshed.loading
    assert [1] == await refreshed.get()
    source.answering.set()
    await _settle()
    assert [2] == await refreshed.get()
    assert 2 == source.fetches


@pytest.mark.gen_test
async def test_a_copy_past_its_age_is_not_given_out_before_its_source_was_asked(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.version = 2
    clock.advance(601)
    assert [2] == await refreshed.get()


@pytest.mark.gen_test
async def test_an_outage_is_outlived_for_the_grace_and_no_longer(
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
async def test_without_grace_a_copy_past_its_age_is_not_used(source: Source, clock: ManualClock) -> None:
    refreshed = RefreshingCache(source.load, name="the list", clock=clock, policy=RefreshPolicy(stale_if_error=0))
    await refreshed.get()
    source.down = True
    clock.advance(601)
    with pytest.raises(IssuerUnavailable):
        await refreshed.get()


@pytest.mark.gen_test
async def test_no_request_waits_for_a_source_that_hangs_after_it_has_failed_once(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    clock.advance(599)
    await refreshed.get()
    await _settle()
    source.answering.clear()
    clock.advance(60)
    assert [1] == await refreshed.get()
    assert refreshed.loading


@pytest.mark.gen_test
async def test_a_failing_source_is_asked_less_and_less(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    clock.advance(600)
    pauses = await _pauses(source, refreshed, clock, seconds=300)
    for pause, longest in zip(pauses, [1, 2, 4, 8, 16, 32, 60, 60], strict=False):
        assert 0.8 * longest <= pause <= longest


@pytest.mark.gen_test
async def test_a_source_that_never_answered_is_asked_every_other_second_so_that_recovery_is_noticed(
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
async def test_one_success_among_failures_does_not_start_the_pauses_anew(
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
    """Return how long the source was left alone between attempts, while it is asked for ten times a second."""
    asked_at = []
    for _ in range(seconds * 10):
        before = source.fetches
        with contextlib.suppress(IssuerUnavailable):
            await refreshed.get()
        await _settle()
        if source.fetches > before:
            asked_at.append(clock.monotonic())
        clock.advance(0.1)
    return [round(later - earlier - 0.1, 1) for earlier, later in itertools.pairwise(asked_at)]


@pytest.mark.gen_test
async def test_a_source_that_names_a_pause_gets_it(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    source.down, source.retry_after = True, 30.0
    with pytest.raises(IssuerUnavailable) as refusal:
        await refreshed.get()
    assert 24 <= refusal.value.retry_after <= 30
    clock.advance(23)
    assert refreshed.cooling_down


@pytest.mark.gen_test
async def test_recovers_and_says_so_once(
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
    assert ["it is down", "available again"] == [
        "it is down" if "it is down" in record.getMessage() else "available again"
        for record in caplog.records
        if record.levelno == logging.WARNING
    ]


@pytest.mark.gen_test
async def test_a_missing_entry_costs_one_fetch_for_all_who_miss_it(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    seen = await refreshed.get()
    source.version = 2
    assert [[2]] * 100 == await asyncio.gather(*(refreshed.refresh_if_unchanged(seen) for _ in range(100)))
    assert 2 == source.fetches
    assert [2] == await refreshed.refresh_if_unchanged(seen)
    assert 2 == source.fetches


@pytest.mark.gen_test
async def test_made_up_entries_cost_no_more_than_the_budget(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    for _ in range(10_000):
        await refreshed.refresh_if_unchanged(await refreshed.get())
        clock.advance(60 / 10_000)
    assert source.fetches <= 2 + 60 / 10


@pytest.mark.gen_test
async def test_failing_fetches_count_against_the_budget_too(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    await refreshed.get()
    source.down = True
    for _ in range(10_000):
        with pytest.raises(IssuerUnavailable):
            await refreshed.refresh_if_unchanged(await refreshed.get())
        clock.advance(60 / 10_000)
    assert source.fetches <= 2 + 60 / 10


@pytest.mark.gen_test
async def test_with_the_budget_spent_a_good_copy_answers_at_once(
    source: Source, refreshed: RefreshingCache[list[int]], clock: ManualClock
) -> None:
    seen = await refreshed.get()
    for _ in range(3):
        seen = await refreshed.refresh_if_unchanged(seen)
    fetches = source.fetches
    source.answering.clear()
    assert seen is await refreshed.refresh_if_unchanged(seen)
    assert fetches == source.fetches


@pytest.mark.gen_test
async def test_a_loader_that_breaks_is_logged_and_does_not_block_the_next(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[Loaded[int] | Exception] = [ZeroDivisionError(), Loaded(value=1, max_age=None)]

    async def load() -> Loaded[int]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    refreshed = RefreshingCache(load, name="the number", clock=clock)
    with pytest.raises(ZeroDivisionError):
        await refreshed.get()
    assert 1 == await refreshed.get()
    assert "the number: refresh failed unexpectedly" in caplog.text


@pytest.mark.gen_test
async def test_closing_abandons_a_fetch(source: Source, refreshed: RefreshingCache[list[int]]) -> None:
    source.answering.clear()
    waiter = asyncio.create_task(refreshed.get())
    await _settle()
    await refreshed.close()
    await asyncio.gather(waiter, return_exceptions=True)
    assert not refreshed.loading
    await refreshed.close()


@given(st.lists(st.sampled_from(["up", "down", "get", "miss", "second", "minute", "hour"]), max_size=40))
def test_whatever_happens_a_usable_copy_is_given_and_the_source_is_spared(events: list[str]) -> None:
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
                    value = await refreshed.get()
                    if event == "miss":
                        await refreshed.refresh_if_unchanged(value)
                except IssuerUnavailable:
                    assert event == "miss" or not refreshed.usable
                else:
                    assert usable or not source.down
        assert source.fetches <= 2 + clock.monotonic() + events.count("miss")
        await refreshed.close()

    asyncio.run(play())
