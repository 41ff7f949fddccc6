"""Supervises worker processes that serve the same sockets: restarts those that exit, and stops all together."""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess

from service.operations.stop_signals import STOP_SIGNALS, ignore_stop_signals

WorkerFunction = Callable[[int, Callable[[], None]], None]
"""The work of one worker: receives its number from 0 and a function to call once it serves, and runs until a signal.

It must be picklable, since it is sent to another process.
"""

_logger = logging.getLogger(__name__)

STOP_TIMEOUT = 15.0
"""Seconds until a worker that does not stop is killed; the worker gives its pending requests less."""
_MIN_LIFETIME = 1.0
"""Minimum seconds between two starts of a worker, so that one that cannot start does not keep a core busy."""
_POLL_INTERVAL = 1.0
"""Maximum seconds between two checks of the workers."""
_MAX_START_ATTEMPTS = 5
"""Exits of each worker, before any of them serves, after which the program gives up."""


def cores() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_workers(work: WorkerFunction, *, count: int, announce: Callable[[], None], at_stop: Callable[[], None]) -> bool:
    """Run workers until SIGINT or SIGTERM; return False if none of them could start.

    Each worker is a new interpreter: a lock that a library's thread holds during a fork stays locked in the copy.

    Args:
        announce: Called once the first worker serves.
        at_stop: Called before the workers are stopped; closes the listening sockets, so that no connection waits in a
            queue that is not served any more.
    """
    context = multiprocessing.get_context("spawn")
    workers = [_Worker(context, work, number) for number in range(count)]
    with _stop_requested() as stop:
        try:
            return _supervise(stop, workers, announce=announce)
        finally:
            # No worker may outlive its supervisor, however that ends.
            at_stop()
            for worker in workers:
                worker.terminate()
            deadline = time.monotonic() + STOP_TIMEOUT
            for worker in workers:
                worker.join(deadline=deadline)


def _supervise(stop: int, workers: list[_Worker], *, announce: Callable[[], None]) -> bool:
    announced = False
    for worker in workers:
        worker.start()
    while stop not in _wait_for(stop, workers):
        for worker in workers:
            worker.respawn()
        serving = [worker.is_serving for worker in workers]  # reads the pipe of each, which stays readable otherwise
        if announced:
            continue
        if any(serving):
            announced = True
            announce()
        elif all(worker.exits >= _MAX_START_ATTEMPTS for worker in workers):
            _logger.error("no worker could start; see their errors above", extra={"attempts": _MAX_START_ATTEMPTS})
            return False
    return True


class _Worker:
    """One worker, restarted under the same number."""

    exits: int = 0
    _process: SpawnProcess
    _ready_pipe: Connection
    _is_serving: bool
    _started_at: float
    respawn_at: float | None
    """The monotonic time of the next start; None while the worker runs."""

    def __init__(self, context: SpawnContext, work: WorkerFunction, number: int) -> None:
        self._context = context
        self._work = work
        self._number = number

    def respawn(self) -> None:
        """Restart the worker if it has exited, after a pause if it exited at once."""
        if self.respawn_at is None:
            if self._process.exitcode is None:
                return
            self._record_exit("worker exited, restarting", exit_code=self._process.exitcode)
        if self.respawn_at is not None and time.monotonic() >= self.respawn_at:
            self.start()

    @property
    def is_serving(self) -> bool:
        """Whether the worker has reported that it serves."""
        if not self._is_serving and self._ready_pipe.poll():
            with contextlib.suppress(EOFError):  # it exited before
                self._ready_pipe.recv()
                self._is_serving = True
        return self._is_serving

    @property
    def wait_handles(self) -> list[Connection | int]:
        """The objects that become readable when the state of the worker changes."""
        if self.respawn_at is not None:
            return []
        return [self._process.sentinel] if self._is_serving else [self._process.sentinel, self._ready_pipe]

    def terminate(self) -> None:
        """Ask the worker to finish its requests and exit."""
        if self._is_started:
            self._process.terminate()

    def join(self, *, deadline: float) -> None:
        """Wait for the exit of the worker, and kill it at this monotonic time."""
        if not self._is_started:
            return
        while self._process.exitcode is None and time.monotonic() < deadline:
            self._process.join(_POLL_INTERVAL)
        if self._process.exitcode is None:
            _logger.warning("worker did not stop, killing it", extra={"worker": self._number})
            self._process.kill()
            self._process.join()

    def start(self) -> None:
        """Start the worker; if the system cannot create a process now, try again later."""
        self._ready_pipe, ready_pipe = self._context.Pipe(duplex=False)
        self._process = self._context.Process(target=_worker_main, args=(self._work, self._number, ready_pipe))
        self._is_serving, self._started_at, self.respawn_at = False, time.monotonic(), None
        try:
            self._process.start()
        except OSError as exc:
            self._record_exit("worker could not be started, retrying", error=exc.strerror)
        finally:
            ready_pipe.close()

    @property
    def _is_started(self) -> bool:
        return self._process.pid is not None

    def _record_exit(self, event: str, **fields: object) -> None:
        self.exits += 1
        self.respawn_at = max(time.monotonic(), self._started_at + _MIN_LIFETIME)
        _logger.warning(event, extra={"worker": self._number, **fields})


def _worker_main(work: WorkerFunction, number: int, ready_pipe: Connection) -> None:
    """Run in the worker process."""
    # Ctrl-C reaches every process of a terminal; until the worker handles SIGTERM, its parent stops it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(number, lambda: ready_pipe.send(None))


def _wait_for(stop: int, workers: list[_Worker]) -> list[object]:
    """Return the readable objects after at most one interval: a child of a worker may hold its sentinel open."""
    pauses = [worker.respawn_at - time.monotonic() for worker in workers if worker.respawn_at is not None]
    return wait(
        [stop, *(handle for worker in workers for handle in worker.wait_handles)],
        max(min([_POLL_INTERVAL, *pauses]), 0),
    )  # type: ignore[return-value]  # mypy wants one type


@contextlib.contextmanager
def _stop_requested() -> Iterator[int]:
    """Yield a file descriptor that becomes readable at SIGINT or SIGTERM; afterwards, these signals are ignored."""
    readable, writable = os.pipe()
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: _write(writable))
    try:
        yield readable
    finally:
        ignore_stop_signals()
        os.close(readable)
        os.close(writable)


def _write(pipe: int) -> None:
    os.write(pipe, b"!")
