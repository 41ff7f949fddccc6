"""The time, handed in, so that tests move it instead of waiting."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Two ways to read the time; they are never mixed."""

    def now(self) -> float:
        """Return wall time in seconds since the epoch, for what issuers wrote into claims."""

    def monotonic(self) -> float:
        """Return seconds that never jump, for ages and pauses."""


class SystemClock:
    """The machine's own clock."""

    now = staticmethod(time.time)
    monotonic = staticmethod(time.monotonic)


class ManualClock:
    """A clock that a test moves.

    Args:
        now: Wall time to start at, in seconds since the epoch.
    """

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> float:
        """Return the wall time it was moved to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was moved by."""
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self._now += seconds
        self._monotonic += seconds
