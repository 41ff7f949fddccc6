"""Several processes that serve the same sockets: one that dies is replaced, and all of them stop together."""

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

WorkerFunction = Callable[[int, Callable[[], None]], None]
"""What a worker does, by its number from 0, until it is told to stop; it calls the function once it serves.

It must be something that can be sent to another process (:mod:`pickle`).
"""

_logger = logging.getLogger(__name__)

STOP_TIMEOUT = 15.0
"""Seconds until a worker that was told to stop is killed; it gives its own requests less."""
_MIN_LIFETIME = 1.0
"""Seconds that a worker's place lives at least, so that one that cannot start does not keep a core busy."""
_POLL_INTERVAL = 1.0
"""Seconds after which workers are looked at in any case."""
_MAX_START_ATTEMPTS = 5
"""How often each of them may die before the first of all serves."""


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_workers(work: WorkerFunction, *, count: int, announce: Callable[[], None], at_stop: Callable[[], None]) -> bool:
    """Run this many workers until SIGINT or SIGTERM; returns False if none of them ever served, and all keep dying.

    Each begins as a new interpreter: what a library's threads hold at a fork is held for ever in the copy.

    Args:
        announce: Called once the first of them serves.
        at_stop: Called before they are told to stop; whoever has sockets open here, for those who replace others,
            closes them then, so that nobody queues where nobody will answer.
    """
    context = multiprocessing.get_context("spawn")
    workers = [_Worker(context, work, number) for number in range(count)]
    with _stop_requested() as stop:
        try:
            return _supervise(stop, workers, announce=announce)
        finally:
            # Whatever ends the supervision, no worker goes on without it.
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
        if announced:
            continue
        if any(worker.is_serving for worker in workers):
            announced = True
            announce()
        elif all(worker.exits >= _MAX_START_ATTEMPTS for worker in workers):
            _logger.error(
                "no worker could start within %d tries; what each of them said stands above", _MAX_START_ATTEMPTS
            )
            return False
    return True


class _Worker:
    """The place of one worker, whoever fills it now."""

    exits: int = 0
    _process: SpawnProcess
    _ready_pipe: Connection
    _is_serving: bool
    _started_at: float
    respawn_at: float | None
    """The monotonic time at which another one takes the place of one that died; None while it is filled."""

    def __init__(self, context: SpawnContext, work: WorkerFunction, number: int) -> None:
        self._context = context
        self._work = work
        self._number = number

    def respawn(self) -> None:
        """Start another one in place of one that died, after a pause if it did so at once."""
        if self.respawn_at is None:
            if self._process.exitcode is None:
                return
            self._record_exit(f"ended with {self._process.exitcode}")
        if self.respawn_at is not None and time.monotonic() >= self.respawn_at:
            self.start()

    @property
    def is_serving(self) -> bool:
        """Whether it said so."""
        if not self._is_serving and self._ready_pipe.poll():
            with contextlib.suppress(EOFError):  # it died before
                self._ready_pipe.recv()
                self._is_serving = True
        return self._is_serving

    @property
    def wait_handles(self) -> list[Connection | int]:
        """What becomes readable when something about it changes."""
        if self.respawn_at is not None:
            return []
        return [self._process.sentinel] if self._is_serving else [self._process.sentinel, self._ready_pipe]

    def terminate(self) -> None:
        """Have it let its requests finish."""
        if self._is_started:
            self._process.terminate()

    def join(self, *, deadline: float) -> None:
        """Return when it has ended, and kill it at this monotonic time."""
        if not self._is_started:
            return
        while self._process.exitcode is None and time.monotonic() < deadline:
            self._process.join(_POLL_INTERVAL)
        if self._process.exitcode is None:
            _logger.warning("worker %d did not stop and is killed", self._number)
            self._process.kill()
            self._process.join()

    def start(self) -> None:
        """Start one; where the machine has no room for it now, try again later."""
        self._ready_pipe, ready_pipe = self._context.Pipe(duplex=False)
        self._process = self._context.Process(target=_worker_main, args=(self._work, self._number, ready_pipe))
        self._is_serving, self._started_at, self.respawn_at = False, time.monotonic(), None
        try:
            self._process.start()
        except OSError as exc:
            self._record_exit(f"could not be started ({exc.strerror})")
        finally:
            ready_pipe.close()

    @property
    def _is_started(self) -> bool:
        return self._process.pid is not None

    def _record_exit(self, outcome: str) -> None:
        self.exits += 1
        self.respawn_at = max(time.monotonic(), self._started_at + _MIN_LIFETIME)
        _logger.warning(
            "worker %d %s, restarting", self._number, outcome, extra={"worker": self._number, "outcome": outcome}
        )


def _worker_main(work: WorkerFunction, number: int, ready_pipe: Connection) -> None:
    """Be a worker."""
    # Ctrl-C reaches every process of a terminal; until a worker knows how to stop, its parent tells it to.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(number, lambda: ready_pipe.send(None))


def _wait_for(stop: int, workers: list[_Worker]) -> list[object]:
    """Return what of all this is readable, soon: a worker's own child may hold what would show its death."""
    pauses = [worker.respawn_at - time.monotonic() for worker in workers if worker.respawn_at is not None]
    return wait(
        [stop, *(one for worker in workers for one in worker.wait_handles)], max(min([_POLL_INTERVAL, *pauses]), 0)
    )  # type: ignore[return-value]  # mypy wants one type


@contextlib.contextmanager
def _stop_requested() -> Iterator[int]:
    """Give what becomes readable at SIGINT or SIGTERM."""
    readable, writable = os.pipe()
    before = {number: signal.signal(number, lambda *_: _write(writable)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield readable
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(readable)
        os.close(writable)


def _write(pipe: int) -> None:
    os.write(pipe, b"!")
