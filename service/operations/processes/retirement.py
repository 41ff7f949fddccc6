"""Decides when a worker is to be replaced because of what it has served or uses."""

from __future__ import annotations

import logging
import os
import random
from pathlib import Path

_logger = logging.getLogger(__name__)

_STATM = Path("/proc/self/statm")
_PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
_JITTER = 10
"""The part of ``max_requests`` that is the jitter by default."""


class Retirement:
    """The limits of one worker.

    Args:
        max_requests: None for no limit.
        jitter: The most requests beyond this number, chosen at random; None for a tenth of it.
        max_memory: Bytes; None for no limit.
    """

    def __init__(self, *, max_requests: int | None, jitter: int | None, max_memory: int | None) -> None:
        self._max_requests = max_requests
        if max_requests is not None:
            jitter = max_requests // _JITTER if jitter is None else jitter
            self._max_requests = max_requests + random.randint(0, jitter)  # noqa: S311  # no secret
        self._max_memory = max_memory

    def check_start(self, memory: int) -> None:
        """Ignore the limit of memory if a new worker is above it, since replacing it would never end."""
        if self._max_memory is not None and memory >= self._max_memory:
            fields = {"max_worker_memory": self._max_memory, "memory": memory}
            _logger.error("max_worker_memory is less than a worker needs at its start, so it is ignored", extra=fields)
            self._max_memory = None

    def reason(self, *, requests: int, memory: int) -> str | None:
        """Return the setting that the worker has reached, or None."""
        if self._max_requests is not None and requests >= self._max_requests:
            return "max_requests"
        if self._max_memory is not None and memory >= self._max_memory:
            return "max_worker_memory"
        return None


def resident_memory(statm: Path = _STATM) -> int:
    """Return the resident memory of this process in bytes; 0 if the system does not report it."""
    try:
        return int(statm.read_text("ascii").split()[1]) * _PAGE_SIZE
    except (OSError, ValueError, IndexError):
        return 0
