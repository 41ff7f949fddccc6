"""The growing pause between two starts of workers that end at once."""

from __future__ import annotations

_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before the next start, by the number of workers in a row that have ended soon."""
_SOON = 60.0
"""Seconds after its start; a worker that ends later is no sign that the next one ends as well."""


class RestartPause:
    """Counts workers that end soon, and delays the next start."""

    def __init__(self) -> None:
        self.failed_starts = 0
        """The workers in a row that have ended before they served."""
        self._in_a_row = 0
        self.over_at = 0.0
        """The monotonic time of the next start."""

    def started(self) -> None:
        """Note that a worker serves."""
        self.failed_starts = 0

    def ended(self, now: float, *, lifetime: float, has_served: bool) -> float:
        """Note that a worker has ended although it should serve, and return the pause in seconds."""
        self._in_a_row = 1 if has_served and lifetime >= _SOON else self._in_a_row + 1
        self.failed_starts += not has_served
        pause = _PAUSES[min(self._in_a_row, len(_PAUSES)) - 1]
        self.over_at = max(self.over_at, now + pause)
        return pause

    def reset(self) -> None:
        """Start the next worker at once, since its settings are new."""
        self.__init__()  # type: ignore[misc]  # the state of a new object
