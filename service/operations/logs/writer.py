"""Writes the log in a thread, so that a reader that stalls does not stop the event loop."""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TextIO

WRITE_SIZE = 4096
"""Bytes that are written at once: a pipe keeps as many together (``PIPE_BUF``)."""
MAX_QUEUED = 4 << 20
"""Bytes that wait for a stalled reader, about 20,000 lines; further lines are dropped and counted."""
FLUSH_TIMEOUT = 2.0
"""Seconds that a stop waits for a stalled reader."""
_POLL_INTERVAL = 1.0
"""Seconds between two attempts to write to a descriptor that another process has made non-blocking."""


class LogWriter:
    """Writes lines to a file descriptor, in their order.

    Each call of the system gets whole lines, as many as a pipe keeps together, so that those of two processes do not
    mix.

    Args:
        descriptor: The file descriptor of standard error.
        describe_dropped: Returns the line about so many dropped lines.
    """

    def __init__(
        self, descriptor: int, *, describe_dropped: Callable[[int], str], max_queued: int = MAX_QUEUED
    ) -> None:
        self._descriptor = descriptor
        self.describe_dropped = describe_dropped
        self._max_queued = max_queued
        self._queue: deque[bytes] = deque()
        self._queued = 0
        """Bytes, including those that are being written."""
        self._dropped = 0
        self._changed = threading.Condition()
        self._is_forked = False
        threading.Thread(target=self._run, name="log writer", daemon=True).start()
        # A child of `os.fork`, such as a worker of ProcessPoolExecutor, has no copy of the thread.
        os.register_at_fork(after_in_child=self._write_directly)

    def write(self, lines: Iterable[str]) -> None:
        """Queue lines, each with its end; awaits nothing."""
        encoded = [line.encode(errors="backslashreplace") for line in lines]
        if self._is_forked:
            for data in encoded:
                self._write_all(data)
            return
        with self._changed:
            for data in encoded:
                if self._queued and self._queued + len(data) > self._max_queued:
                    self._dropped += 1
                    continue
                self._queue.append(data)
                self._queued += len(data)
            self._changed.notify_all()

    def flush(self, timeout: float = FLUSH_TIMEOUT) -> bool:
        """Wait until everything is written, at most so many seconds; return whether it is."""
        if self._is_forked:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: not self._queued, timeout)

    def _write_directly(self) -> None:
        self._is_forked = True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue)
                data = self._take()
            self._write_all(data)
            with self._changed:
                self._queued -= len(data)
                dropped, self._dropped = self._dropped, 0
                self._changed.notify_all()
            if dropped:
                self.write([self.describe_dropped(dropped)])

    def _take(self) -> bytes:
        """Return the next line, and those after it that fit into the same write."""
        queue = self._queue
        taken = [queue.popleft()]
        size = len(taken[0])
        while queue and size + len(queue[0]) <= WRITE_SIZE:
            taken.append(queue.popleft())
            size += len(taken[-1])
        return b"".join(taken)

    def _write_all(self, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:
                select.select([], [self._descriptor], [], _POLL_INTERVAL)
            except OSError:  # the reader has exited, or the disk is full: there is no place for a message about it
                return


_writers: dict[int, LogWriter] = {}
"""One for each descriptor, so that a second configuration of logging keeps the order."""


def writer_for(stream: TextIO, *, describe_dropped: Callable[[int], str]) -> LogWriter | None:
    """Return the writer to the descriptor of a stream; None if it has none, as a stream in memory."""
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError):  # io.UnsupportedOperation is both; ValueError: the stream is closed
        return None
    if descriptor not in _writers:
        _writers[descriptor] = LogWriter(descriptor, describe_dropped=describe_dropped)
    writer = _writers[descriptor]
    writer.describe_dropped = describe_dropped
    return writer
