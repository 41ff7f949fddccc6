"""The signals that stop the program."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def ignore_stop_signals() -> None:
    """Ignore these signals from now on, until the process exits.

    The process is already stopping. A worker gets two signals if the system stops parent and worker together; the
    second would reach an event loop that is closed, or kill the process while the interpreter exits.
    """
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def call_at_stop_signal(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> None:
    """Call a function at the first of these signals, and ignore all others."""

    def handle() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # without a handler, a signal would kill the process
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
        ignore_stop_signals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        callback()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, handle)
