"""A state machine drives ``RefreshingCache`` and compares it with a model after each step."""

from __future__ import annotations

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy

POLICY = RefreshPolicy()


class RefreshedMachine(RuleBasedStateMachine):
    """A source that changes, fails, hangs and recovers, while requests arrive and time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.version = 1
        self.max_age: float | None = None
        self.down = False
        self.hanging: asyncio.Event | None = None
        self.attempts: list[float] = []
        self.versions_at: list[tuple[float, int, float]] = []
        self.refreshed = RefreshingCache(self.load, name="it", clock=self.clock, policy=POLICY)

    async def load(self) -> Loaded[tuple[int]]:
        self.attempts.append(self.clock.monotonic())
        if self.hanging is not None:
            await self.hanging.wait()
        if self.down:
            raise IssuerUnavailable("down", retry_after=0)
        age = POLICY.default_age if self.max_age is None else self.max_age
        age = min(max(age, POLICY.min_age), POLICY.max_age_limit)
        self.versions_at.append((self.clock.monotonic(), self.version, age))
        return Loaded(value=(self.version,), max_age=self.max_age)

    def run(self, *, waiters: int, miss: bool) -> None:
        async def request() -> None:
            try:
                value = await self.refreshed.get()
                if miss and await self.refreshed.refresh_within_budget():
                    value = await self.refreshed.get()
            except IssuerUnavailable as exc:
                assert exc.retry_after >= 1  # noqa: PT017  # holds for every error, none is required
                assert miss or not self.refreshed.usable
            else:
                self.check_value(value)

        async def send_requests() -> None:
            tasks = [asyncio.ensure_future(request()) for _ in range(waiters)]
            for _ in range(10):
                await asyncio.sleep(0)
            tasks[0].cancel()  # must not affect the others
            if self.hanging is not None:
                for task in tasks:
                    task.cancel()
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, asyncio.CancelledError), repr(result)

        self.loop.run_until_complete(send_requests())

    def check_value(self, value: tuple[int]) -> None:
        loaded_at, version, age = self.versions_at[-1]
        assert value == (version,), "returned an older copy than the last good one"
        assert self.clock.monotonic() < loaded_at + age + POLICY.stale_if_error

    @rule(waiters=st.integers(2, 20), miss=st.booleans())
    def requests_arrive(self, waiters: int, *, miss: bool) -> None:
        before = len(self.attempts)
        self.run(waiters=waiters, miss=miss)
        assert len(self.attempts) - before <= 2, "more than one fetch for get, and one for refresh_within_budget"

    @rule(seconds=st.sampled_from([0.5, 1.0, 10.0, 60.0, 500.0, 3600.0, 90_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def the_source_changes(self) -> None:
        self.version += 1

    @rule(max_age=st.sampled_from([None, 0.0, 61.0, 1e9]))
    def the_source_changes_its_max_age(self, max_age: float | None) -> None:
        self.max_age = max_age

    @rule(down=st.booleans())
    def the_source_goes_down_or_up(self, *, down: bool) -> None:
        self.down = down

    @rule()
    def the_source_hangs(self) -> None:
        self.hanging = self.hanging or asyncio.Event()

    @rule()
    def the_source_responds_again(self) -> None:
        if self.hanging is not None:
            self.hanging.set()
            self.hanging = None
            self.loop.run_until_complete(asyncio.sleep(0))
            self.loop.run_until_complete(asyncio.sleep(0))

    @invariant()
    def fetches_are_limited(self) -> None:
        """The budget, the backoff and the age together limit the attempts in ten seconds."""
        now = self.clock.monotonic()
        assert len([at for at in self.attempts if at > now - 10]) <= POLICY.extra_burst + 1 + 10

    def teardown(self) -> None:
        self.loop.run_until_complete(self.refreshed.close())
        self.loop.close()


TestRefreshed = RefreshedMachine.TestCase
TestRefreshed.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
