"""The fake issuer's wall clock, which tests can set, advance and freeze.

All times are NumericDates, seconds since the epoch (RFC 7519 section 2).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import Record, parse_numeric_date

MAX_TIMESTAMP_S = 253_402_300_799.0
"""The last second of the year 9999, the latest date that most libraries support."""


class ClockState(Record, frozen=True, kw_only=True):
    """The time, its offset from real time, both in seconds, and whether the clock is frozen."""

    now: float
    offset: float
    frozen: bool


class Clock:
    """A clock that runs with real time (seconds since the epoch) until a test changes it."""

    def __init__(self, real_time: Callable[[], float] = time.time) -> None:
        self._real_time = real_time
        self._offset_s = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._real_time() + self._offset_s if self._stopped_at is None else self._stopped_at

    def state(self) -> ClockState:
        """Return the time, the offset from real time, and whether the clock is frozen."""
        now = self.now()
        return ClockState(
            now=now,
            offset=self._offset_s if self._stopped_at is None else now - self._real_time(),
            frozen=self._stopped_at is not None,
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
        self._stopped_at = self.now()

    def unfreeze(self) -> None:
        """Let a frozen clock continue from its time."""
        if self._stopped_at is not None:
            self._offset_s = self._stopped_at - self._real_time()
            self._stopped_at = None

    def reset(self) -> None:
        """Return to real time."""
        self._offset_s = 0.0
        self._stopped_at = None

    def _put(self, timestamp: float) -> None:
        if self._stopped_at is None:
            self._offset_s = timestamp - self._real_time()
        else:
            self._stopped_at = timestamp


def _number(value: float, name: str) -> float:
    seconds = parse_numeric_date(value)
    if seconds is None:
        raise InvalidRequestError(f"{name} must be a finite number of seconds.")
    return seconds
