"""The time, handed in, so that tests move it instead of waiting."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


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
