"""Logs limits that clients exceed, at most once a second for each limit."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

_logger = logging.getLogger(__name__)

_INTERVAL = 1.0
"""Seconds; a client that exceeds a limit in a loop must not fill the log."""


class LimitLog:
    """Writes a warning for an exceeded limit, and counts those that it leaves out.

    Args:
        now: Returns seconds; only differences matter.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._logged_at: dict[str, float] = {}
        self._left_out: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """How often each limit was exceeded."""

    def report(self, event: str, *, limit: str, **fields: Any) -> None:
        """Log an event with the setting that was exceeded, unless the same one was logged within a second.

        Args:
            limit: The name of the setting; empty if the event concerns none.
        """
        if limit:
            self.counts[limit] += 1
        now = self._now()
        if now - self._logged_at.get(limit, -_INTERVAL) < _INTERVAL:
            self._left_out[limit] += 1
            return
        self._logged_at[limit] = now
        if left_out := self._left_out.pop(limit, 0):
            fields["left_out"] = left_out
        if limit:
            fields["limit"] = limit
        _logger.warning(event, extra=fields)
