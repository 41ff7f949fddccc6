"""Clocks, which are passed in so that tests can move the time instead of waiting."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """A wall clock and a monotonic clock."""

    def now(self) -> float:
        """Return the wall time in seconds since the epoch, for comparison with claims."""

    def monotonic(self) -> float:
        """Return monotonic seconds, for ages and pauses."""


class SystemClock:
    """The clock of the system."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class ManualClock:
    """A clock for tests.

    Args:
        now: The initial wall time, in seconds since the epoch.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        """Return the wall time in seconds since the epoch."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that the clock was advanced."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Move both clocks forward by a number of seconds."""
        self._now += seconds
        self._monotonic += seconds
