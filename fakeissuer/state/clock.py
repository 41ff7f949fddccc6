"""The fake issuer's wall clock: real time, moved or stopped by a test.

All times are NumericDates, seconds since the epoch (RFC 7519 section 2).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import Record, parse_numeric_date

MAX_TIMESTAMP_S = 253_402_300_799.0
"""The last second of the year 9999, the end of what most libraries can show as a date."""


class ClockState(Record, frozen=True, kw_only=True):
    """What the clock says: the time in seconds, how far that is from real time, and whether it stands still."""

    now: float
    offset: float
    frozen: bool


class Clock:
    """A clock that tests move; it starts at real time and runs with it."""

    def __init__(self, real_time: Callable[[], float] = time.time) -> None:
        """Start from a source of real time, in seconds since the epoch."""
        self._real_time = real_time
        self._offset_s = 0.0
        self._stopped_at: float | None = None

    def now(self) -> float:
        """Return the time in seconds since the epoch."""
        return self._real_time() + self._offset_s if self._stopped_at is None else self._stopped_at

    def state(self) -> ClockState:
        """Return what the control plane tells about the clock."""
        now = self.now()
        return ClockState(
            now=now,
            offset=self._offset_s if self._stopped_at is None else now - self._real_time(),
            frozen=self._stopped_at is not None,
        )

    def move(self, *, set_to: float | None = None, advance: float | None = None, freeze: bool | None = None) -> None:
        """Move the clock in one step: to a moment, by so many seconds from there, and stop it or let it run.

        Raises:
            InvalidRequestError: a value is no finite number, or they lead before 1970 or past the year 9999; nothing
                moved.
        """
        moment = self.now() if set_to is None else _number(set_to, "set")
        moment += 0.0 if advance is None else _number(advance, "advance")
        if not 0 <= moment <= MAX_TIMESTAMP_S:
            raise InvalidRequestError(
                f"The clock cannot show {moment}: it runs from 0 to {MAX_TIMESTAMP_S:.0f} seconds."
            )
        if freeze:
            self.freeze()
        if set_to is not None or advance is not None:
            self._put(moment)
        if freeze is False:
            self.unfreeze()

    def advance(self, seconds: float) -> None:
        """Move the clock by so many seconds, backwards when they are negative; raises as ``move`` does."""
        self.move(advance=_number(seconds, "advance"))

    def set(self, moment: float) -> None:
        """Put the clock at a moment; it goes on from there, or stands there if frozen; raises as ``move`` does."""
        self.move(set_to=_number(moment, "set"))

    def freeze(self) -> None:
        """Stop the clock where it is."""
        self._stopped_at = self.now()

    def unfreeze(self) -> None:
        """Let a stopped clock run on from where it stands."""
        if self._stopped_at is not None:
            self._offset_s = self._stopped_at - self._real_time()
            self._stopped_at = None

    def reset(self) -> None:
        """Return to real time."""
        self._offset_s = 0.0
        self._stopped_at = None

    def _put(self, moment: float) -> None:
        if self._stopped_at is None:
            self._offset_s = moment - self._real_time()
        else:
            self._stopped_at = moment


def _number(value: float, name: str) -> float:
    seconds = parse_numeric_date(value)
    if seconds is None:
        raise InvalidRequestError(f"{name} takes a finite number of seconds.")
    return seconds
