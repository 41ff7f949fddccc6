"""The fake issuer's clock, which tests can set, advance and freeze.

All times are NumericDates, seconds since the epoch (RFC 7519 section 2).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import Record, parse_numeric_date

MAX_TIMESTAMP_S = 253_402_300_799.0
"""The last second of the year 9999, the latest date that most libraries support."""


class ClockState(Record, frozen=True, kw_only=True):
    """The time, its offset from real time, both in seconds, and whether the clock is frozen."""

    now: float
    offset: float
    frozen: bool


class _Times(NamedTuple):
    """The difference of both clocks from real time; one object, so that another thread reads a consistent state."""

    offset_s: float = 0.0
    stopped_at: float | None = None
    monotonic_offset_s: float = 0.0
    monotonic_stopped_at: float = 0.0


class Clock:
    """A clock that runs with real time (seconds since the epoch) until a test changes it.

    ``now`` and ``monotonic`` can be called from any thread, so an API under test can have this clock too.
    """

    def __init__(
        self, real_time: Callable[[], float] = time.time, real_monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._real_time = real_time
        self._real_monotonic = real_monotonic
        self._times = _Times()

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        times = self._times
        return self._real_time() + times.offset_s if times.stopped_at is None else times.stopped_at

    def monotonic(self) -> float:
        """Return monotonic seconds, which advance with the clock and never go back."""
        times = self._times
        if times.stopped_at is None:
            return self._real_monotonic() + times.monotonic_offset_s
        return times.monotonic_stopped_at

    def state(self) -> ClockState:
        """Return the time, the offset from real time, and whether the clock is frozen."""
        now = self.now()
        return ClockState(
            now=now,
            offset=self._times.offset_s if self._times.stopped_at is None else now - self._real_time(),
            frozen=self._times.stopped_at is not None,
        )

    def move(self, *, set_to: float | None = None, advance: float | None = None, freeze: bool | None = None) -> None:
        """Set the clock, advance it from there by so many seconds, and freeze or unfreeze it, in one step.

        Raises:
            InvalidRequestError: a value is not a finite number, or the result is before 1970 or after the year 9999;
                the clock is unchanged.
        """
        timestamp = self.now() if set_to is None else _number(set_to, "set")
        timestamp += 0.0 if advance is None else _number(advance, "advance")
        if not 0 <= timestamp <= MAX_TIMESTAMP_S:
            raise InvalidRequestError(
                f"The clock cannot be set to {timestamp}; expected 0 to {MAX_TIMESTAMP_S:.0f} seconds."
            )
        if freeze:
            self.freeze()
        if set_to is not None or advance is not None:
            self._put(timestamp)
        if freeze is False:
            self.unfreeze()

    def advance(self, seconds: float) -> None:
        """Advance the clock by so many seconds, which may be negative; raises the errors of ``move``."""
        self.move(advance=_number(seconds, "advance"))

    def set(self, timestamp: float) -> None:
        """Set the clock to a time in seconds since the epoch; raises the errors of ``move``."""
        self.move(set_to=_number(timestamp, "set"))

    def freeze(self) -> None:
        """Stop the clock at the current time."""
        self._times = self._times._replace(stopped_at=self.now(), monotonic_stopped_at=self.monotonic())

    def unfreeze(self) -> None:
        """Let a frozen clock continue from its time."""
        if self._times.stopped_at is not None:
            self._times = _Times(
                offset_s=self._times.stopped_at - self._real_time(), monotonic_offset_s=self._monotonic_offset()
            )

    def reset(self) -> None:
        """Return to real time."""
        self._times = _Times(monotonic_offset_s=self._monotonic_offset())

    def _monotonic_offset(self) -> float:
        return self.monotonic() - self._real_monotonic()

    def _put(self, timestamp: float) -> None:
        times, step = self._times, max(0.0, timestamp - self.now())
        if times.stopped_at is None:
            self._times = _Times(
                offset_s=timestamp - self._real_time(), monotonic_offset_s=times.monotonic_offset_s + step
            )
        else:
            self._times = times._replace(stopped_at=timestamp, monotonic_stopped_at=times.monotonic_stopped_at + step)


def _number(value: float, name: str) -> float:
    seconds = parse_numeric_date(value)
    if seconds is None:
        raise InvalidRequestError(f"{name} must be a finite number of seconds.")
    return seconds
