"""A cached copy of a remote value: single flight, background refresh, backoff and stale-if-error."""

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
from service.issuers.failures import Attempts
from service.issuers.rate_limit import RateLimit

T = TypeVar("T")

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded(Generic[T]):
    """A fetched value, and the seconds for which its source allows caching, or None if it does not say."""

    value: T
    max_age: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RefreshPolicy:
    """How long a copy is fresh and how often it is fetched; all times are in seconds.

    Args:
        default_age: The age for a source that sends no ``max-age``.
        min_age: The minimum age, so that ``no-store`` does not cause a fetch per request.
        max_age_limit: The maximum age, so that a withdrawn key stops being used.
        refresh_at: The fraction of the age after which the copy is refreshed in the background.
        stale_if_error: How long a stale copy is used while its source fails (RFC 5861 section 4).
        max_backoff: The longest pause between attempts at a failing source while a copy is usable.
        max_outage_backoff: The longest pause while no copy is usable; short, so that recovery is noticed.
        extra_burst: The budget of :meth:`RefreshingCache.refresh_within_budget`: fetches in a row.
        extra_every: The interval at which the budget grows by one fetch.
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
        """Return the seconds for which a copy is fresh, given the ``max-age`` of its source."""
        return min(max(self.default_age if max_age is None else max_age, self.min_age), self.max_age_limit)


class RefreshingCache(Generic[T]):
    """A cache of one remote value.

    Concurrent callers share one fetch, cancelling one caller does not cancel the others, and a failed fetch
    does not replace a good copy. There is no timer: the requests that use a copy refresh it.

    Args:
        load: Fetches the value; raises :class:`IssuerUnavailable` if that fails.
        name: The name of the value in log events and errors.
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
        self._stale_at = -math.inf
        self._refresh_after = -math.inf
        self.attempts = Attempts(name, clock=clock)
        """The fetches that have ended."""
        self._budget = RateLimit(burst=self._policy.extra_burst, every=self._policy.extra_every, clock=clock)
        self._spare_budget = RateLimit(burst=1, every=self._policy.extra_every, clock=clock)
        self._loaded_by = 0
        self.fetches = 0
        """The fetches that have started."""
        self._loaded_at = -math.inf
        self._task: asyncio.Task[None] | None = None

    @property
    def loading(self) -> bool:
        """Whether a fetch is in progress."""
        return self._task is not None and not self._task.done()

    @property
    def fresh(self) -> bool:
        """Whether the copy is within its age."""
        return self._copy is not None and self._clock.monotonic() < self._stale_at

    @property
    def usable(self) -> bool:
        """Whether the copy is fresh, or stale for less than ``stale_if_error``."""
        return self._copy is not None and self._clock.monotonic() < self._stale_at + self._policy.stale_if_error

    @property
    def age(self) -> float | None:
        """The seconds since the copy was fetched; None without a copy."""
        return None if self._copy is None else self._clock.monotonic() - self._loaded_at

    @property
    def cooling_down(self) -> bool:
        """Whether the last fetch failed and the pause after it has not ended."""
        return self.attempts.cooling_down

    @property
    def budget_wait(self) -> float:
        """The seconds until :meth:`refresh_within_budget` may start a fetch; 0 if it may now."""
        return self._budget.wait

    def is_newer_than(self, fetches: int) -> bool:
        """Return whether the copy comes from a fetch that started when :attr:`fetches` was already this number."""
        return self._loaded_by > fetches

    def current(self) -> T | None:
        """Return the copy, or None if it may not be used; awaits nothing, but starts a refresh when one is due.

        A stale copy is returned only after a refresh has failed: a withdrawn key must not be accepted by
        the first request after its age.
        """
        if self._clock.monotonic() < self._refresh_after:
            return self._copy
        if not self.cooling_down:
            self._start()
        return self._copy if self.fresh or (self.usable and self.attempts.failure) else None

    async def get(self) -> T:
        """Return a usable copy, fetching one if there is none.

        Raises:
            IssuerUnavailable: The fetch failed, and there is no copy within ``stale_if_error``.
        """
        if (copy := self.current()) is not None:
            return copy
        await self._wait()
        if (copy := self.current()) is not None:
            return copy
        raise self.attempts.error()

    async def refresh_within_budget(self, *, spare: bool = False) -> bool:
        """Wait for the fetch in progress, or start one; return False if the budget does not allow it.

        The budget limits attempts, not successes: an attacker who invents key IDs decides how often this is called.

        Args:
            spare: Whether to leave the budget to other callers: the fetch starts only while the budget is not used
                up, does not reduce it, and starts at most once in ``extra_every``.

        Raises:
            IssuerUnavailable: The last attempt failed, so whether a newer copy exists is unknown.
        """
        if not (self.loading or self.cooling_down) and self._take_from_budget(spare=spare):
            self._start()
        if not (self.loading or self.attempts.failure):
            return False
        await self._wait()
        if self.attempts.failure:
            raise self.attempts.error()
        return True

    async def refresh_now(self) -> T:
        """Fetch a new copy, whatever the age of the current one, the budget and the pause after a failure.

        A fetch in progress does not count: its source may have sent the value before the caller changed it there.

        Raises:
            IssuerUnavailable: The fetch failed; the current copy is still used.
        """
        await self._wait()
        self._start()
        await self._wait()
        if self._copy is None or self.attempts.failure:
            raise self.attempts.error()
        return self._copy

    async def close(self) -> None:
        """Cancel a fetch in progress."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _start(self) -> None:
        if not self.loading:
            self.fetches += 1
            self._task = asyncio.get_running_loop().create_task(self._run())
            self._task.add_done_callback(self._log_unexpected)

    async def _wait(self) -> None:
        if self._task is not None:
            await asyncio.shield(self._task)  # cancelling one caller must not cancel the fetch for the others

    def _log_unexpected(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (exc := task.exception()) is not None:
            fields = {"resource": self._name}
            _logger.error("refresh failed unexpectedly: resource=%(resource)s", fields, exc_info=exc, extra=fields)

    async def _run(self) -> None:
        try:
            loaded = await self._load()
        except IssuerUnavailable as exc:
            self._fail(exc)
        else:
            self._succeed(loaded)

    def _succeed(self, loaded: Loaded[T]) -> None:
        policy, now = self._policy, self._clock.monotonic()
        age = policy.age(loaded.max_age)
        # Jitter: processes that started together do not refresh together.
        self._refresh_after = now + age * policy.refresh_at * random.uniform(0.9, 1.0)  # noqa: S311  # jitter
        self._copy, self._stale_at, self._loaded_by = loaded.value, now + age, self.fetches
        self._loaded_at = now
        self.attempts.succeed()

    def _fail(self, failure: IssuerUnavailable) -> None:
        longest = self._policy.max_backoff if self.usable else self._policy.max_outage_backoff
        self.attempts.fail(failure, longest_pause=longest)

    def _take_from_budget(self, *, spare: bool) -> bool:
        return self._budget.wait == 0.0 and self._spare_budget.take() if spare else self._budget.take()
