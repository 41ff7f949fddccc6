"""The signals of the program: which ones stop it, and how each process receives them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator

_logger = logging.getLogger(__name__)

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SUPERVISOR_SIGNALS = (*STOP_SIGNALS, signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD)
"""The signals that the supervisor handles; SIGCHLD only wakes it."""

_HANGUP_TIME = 5.0
"""Seconds after the end of the terminal in which SIGHUP is a consequence of it."""
_SETTLE_TIME = 0.05
"""Seconds in which the same signal counts once: ``timeout`` and others send it to the process and to its group."""


class SignalQueue:
    """The signals that this process has received; its descriptor is readable while there are any."""

    def __init__(self) -> None:
        self._readable, self._writable = os.pipe()
        os.set_blocking(self._readable, False)  # the only form of this function
        os.set_blocking(self._writable, False)  # as above

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._readable

    def take(self) -> list[signal.Signals]:
        """Return the signals since the last call, each one once, in the order of their arrival."""
        numbers = self._read()
        if not numbers.isdisjoint(STOP_SIGNALS):
            time.sleep(_SETTLE_TIME)
            numbers |= self._read()
        return sorted(map(signal.Signals, numbers))

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._readable)
        os.close(self._writable)

    def put(self, number: int, _frame: object = None) -> None:
        """Add a signal; a handler for ``signal.signal``."""
        with contextlib.suppress(BlockingIOError):  # full of signals that were not read yet
            os.write(self._writable, bytes([number]))

    def _read(self) -> set[int]:
        with contextlib.suppress(BlockingIOError):
            return set(os.read(self._readable, 4096))
        return set()


@contextlib.contextmanager
def queued_signals() -> Iterator[SignalQueue]:
    """Queue the signals of the supervisor; afterwards ignore them, since the process is about to exit.

    Another signal that stops the program would otherwise interrupt the end of the interpreter.
    """
    queue = SignalQueue()
    for number in SUPERVISOR_SIGNALS:
        signal.signal(number, queue.put)
    try:
        yield queue
    finally:
        for number in SUPERVISOR_SIGNALS:
            signal.signal(number, signal.SIG_DFL if number == signal.SIGCHLD else signal.SIG_IGN)
        queue.close()


def leave_signals_to_supervisor() -> None:
    """Ignore in a worker what a terminal sends to all processes of the program; the supervisor acts on it."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(number, signal.SIG_IGN)


def call_at_stop_signal(loop: asyncio.AbstractEventLoop, stop: Callable[[], object]) -> None:
    """Call a function at the first SIGINT or SIGTERM; a second one ends the process at once, with the exit code 1."""
    stopped_at: list[float] = []

    def handle() -> None:
        if not stopped_at:
            stopped_at.append(loop.time())
            stop()
        elif loop.time() - stopped_at[0] >= _SETTLE_TIME:
            _logger.warning("a second signal, stopping at once; pending requests are dropped")
            logging.shutdown()
            os._exit(1)

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, handle)


def ignore_stop_signals(loop: asyncio.AbstractEventLoop) -> None:
    """Ignore SIGINT and SIGTERM from now on, until the process exits.

    One that arrives while the event loop is closed, or while the interpreter exits, would kill the process.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # without a handler, a signal would kill the process
    for number in STOP_SIGNALS:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


class Terminal:
    """The terminal from which the program was started, if any: its end sends SIGHUP, which otherwise means a reload."""

    def __init__(self) -> None:
        self._exists = _has_terminal()
        self._closed_at = -_HANGUP_TIME

    def check(self, now: float) -> None:
        """Look whether the terminal still exists; to be called often.

        Args:
            now: Monotonic seconds.
        """
        if self._exists and not _has_terminal():
            self._exists = False
            self._closed_at = now

    def was_just_closed(self, now: float) -> bool:
        """Return whether it was closed a moment ago, as the shell may send the signal a little later."""
        return now - self._closed_at < _HANGUP_TIME


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True
