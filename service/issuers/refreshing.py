"""The last good copy of something remote, kept fresh without a stampede and through an outage."""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.clock import Clock
from service.errors import IssuerUnavailable

T = TypeVar("T")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded(Generic[T]):
    """A value as it was fetched, and for how many seconds its issuer lets it be kept, where it says so."""

    value: T
    max_age: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshPolicy:
    """How long a copy lives and how often its source is asked. Everything is in seconds.

    Args:
        default_age: For a source that does not say.
        min_age: A floor under what the source says, so that ``no-store`` does not become a fetch a request.
        max_age_limit: A ceiling over it, so that a withdrawn key does not live on.
        refresh_at: The part of the age after which the copy is renewed in the background.
        stale_if_error: How long a copy past its age serves while its source fails.
        max_backoff: The longest pause between attempts at a failing source, while a copy serves.
        max_outage_backoff: The longest pause while no copy serves, so that recovery is noticed at once.
        extra_burst: How many fetches out of turn may follow one another.
        extra_every: After how long one more of them is allowed.
    """

    default_age: float = 600.0
    min_age: float = 60.0
    max_age_limit: float = 3600.0
    refresh_at: float = 0.8
    stale_if_error: float = 24 * 3600.0
    max_backoff: float = 60.0
    max_outage_backoff: float = 2.0
    extra_burst: int = 2
    extra_every: float = 10.0

    def age(self, max_age: float | None) -> float:
        """Return for how many seconds a copy lives whose source said this."""
        return min(max(self.default_age if max_age is None else max_age, self.min_age), self.max_age_limit)


class RefreshingCache(Generic[T]):
    """The last good copy of something remote.

    One fetch serves all who wait for it, a cancelled waiter cancels nobody, and a failed fetch never
    replaces a good copy. There is no timer: a copy is renewed by the requests that use it.

    Args:
        load: Fetches the value; raises :class:`IssuerUnavailable` when it cannot.
        name: What is fetched, for the log.
    """

    def __init__(
        self,
        load: Callable[[], Awaitable[Loaded[T]]],
        *,
        name: str,
        clock: Clock,
        policy: RefreshPolicy | None = None,
    ) -> None:
        self._load = load
        self._name = name
        self._clock = clock
        self._policy = policy or RefreshPolicy()
        self._copy: T | None = None
        self._loaded_at = 0.0
        self._age = 0.0
        self._refresh_after = -math.inf
        self._failure: IssuerUnavailable | None = None
        self._failures = 0
        self._backoff_level = 0
        self._retry_at = 0.0
        self._remaining_burst = float(self._policy.extra_burst)
        self._burst_updated_at = clock.monotonic()
        self._task: asyncio.Task[None] | None = None

    @property
    def loading(self) -> bool:
        """Whether a fetch is under way."""
        return self._task is not None

    @property
    def fresh(self) -> bool:
        """Whether the copy is within its age."""
        return self._copy is not None and self._clock.monotonic() < self._loaded_at + self._age

    @property
    def usable(self) -> bool:
        """Whether the copy is within its age or the ``stale_if_error`` after it."""
        return (
            self._copy is not None
            and self._clock.monotonic() < self._loaded_at + self._age + self._policy.stale_if_error
        )

    @property
    def cooling_down(self) -> bool:
        """Whether the last attempt failed, and the next has to wait."""
        return self._failures > 0 and self._clock.monotonic() < self._retry_at

    def current(self) -> T | None:
        """Return the copy if it may be used right now; awaits nothing, and has it renewed when that is due.

        Past its age, a copy is only given out once the source has failed to give a newer one: a withdrawn key
        must not be good for the one request that notices its age.
        """
        if self._clock.monotonic() < self._refresh_after:
            return self._copy
        if not self.cooling_down:
            self._start()
        return self._copy if self.fresh or (self.usable and self._failures) else None

    async def get(self) -> T:
        """Return a copy that may be used, fetching one only when there is none.

        A copy past its age is still given out while its source fails, until ``stale_if_error`` is over.

        Raises:
            IssuerUnavailable: There is no copy that may be used.
        """
        if (copy := self.current()) is not None:
            return copy
        await self._wait()
        if (copy := self.current()) is not None:
            return copy
        raise self._unavailable()

    async def refresh_if_unchanged(self, stale: T) -> T:
        """Return a copy newer than the one that lacked something, or that same copy when it is the newest to be had.

        Fetches out of turn, and within a budget that counts attempts and not successes: whoever can
        make up key IDs decides how often this is called.

        Raises:
            IssuerUnavailable: The budget is spent or the fetch failed, and the last attempt did not succeed,
                so that nobody can tell what a newer copy would hold.
        """
        if self._copy is stale and not self.cooling_down and self._available_burst() >= 1.0:
            self._start()
        if self._copy is stale:
            await self._wait()
        if self._copy is stale and self._failures:
            raise self._unavailable()
        return stale if self._copy is None else self._copy

    async def close(self) -> None:
        """Abandon a fetch under way."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _start(self) -> None:
        if self._task is None:
            self._remaining_burst = max(0.0, self._available_burst() - 1.0)
            self._burst_updated_at = self._clock.monotonic()
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._done)

    async def _wait(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)  # a waiter that hangs up must not take the fetch away from the others

    def _done(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if not task.cancelled() and (exc := task.exception()) is not None:
            _logger.error("%s: refresh failed unexpectedly", self._name, exc_info=exc, extra={"resource": self._name})

    async def _run(self) -> None:
        try:
            loaded = await self._load()
        except IssuerUnavailable as exc:
            self._fail(exc)
        else:
            self._succeed(loaded)

    def _succeed(self, loaded: Loaded[T]) -> None:
        policy, now = self._policy, self._clock.monotonic()
        self._age = policy.age(loaded.max_age)
        # Jitter keeps a fleet that started together from asking together.
        self._refresh_after = now + self._age * policy.refresh_at * random.uniform(0.9, 1.0)  # noqa: S311  # no secret
        self._copy, self._loaded_at = loaded.value, now
        if self._failures:
            _logger.warning("%s: available again after %d failed attempts", self._name, self._failures)
        self._failure, self._failures = None, 0
        self._backoff_level //= 2  # one success in a row of failures is no recovery

    def _fail(self, failure: IssuerUnavailable) -> None:
        self._failures += 1
        longest = self._policy.max_backoff if self.usable else self._policy.max_outage_backoff
        backoff = min(2.0**self._backoff_level, longest)
        self._backoff_level = min(self._backoff_level + 1, 16)
        pause = max(backoff, failure.retry_after) * random.uniform(0.8, 1.0)  # noqa: S311  # no secret
        self._retry_at = self._clock.monotonic() + pause
        if self._failure is None or self._failure.detail != failure.detail:
            _logger.warning("%s: %s", self._name, failure.detail)  # once for each change, not for each attempt
        self._failure = failure

    def _available_burst(self) -> float:
        """Return how many fetches out of turn are left: those left at the last attempt, and those earned since."""
        regained = (self._clock.monotonic() - self._burst_updated_at) / self._policy.extra_every
        return min(self._remaining_burst + regained, float(self._policy.extra_burst))

    def _unavailable(self) -> IssuerUnavailable:
        detail = self._failure.detail if self._failure else "not fetched yet"
        return IssuerUnavailable(
            f"{self._name}: {detail}", retry_after=max(1.0, self._retry_at - self._clock.monotonic())
        )
