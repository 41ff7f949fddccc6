"""A worker as its supervisor sees it."""

from __future__ import annotations

import enum
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from service.operations.processes.supervision.link import (
    Drain,
    Draining,
    Failed,
    FromWorker,
    Heartbeat,
    Ready,
    ServeAdmin,
    Serving,
    ToWorker,
    WorkerState,
    receive,
    send,
)
from service.settings.groups.processes import ProcessSettings

WorkerFunction = Callable[[int, Connection], None]
"""The work of one worker: receives its number and its end of the link, and runs until it is told to drain.

It must be picklable, since it is sent to another process.
"""

_CONTEXT = multiprocessing.get_context("spawn")
"""Each worker is a new interpreter, with the code that is on the disk now.

A fork would be faster, but a lock that a library's thread holds at that time would stay locked in the copy.
"""
DRAIN_MARGIN = 5.0
"""Seconds beyond ``drain_timeout`` until a worker is killed; it closes its connections to issuers and caches then."""


class State(enum.Enum):
    """The life of a worker."""

    STARTING = "starting"
    SERVING = "serving"
    READY = "ready"
    DRAINING = "draining"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What the workers do, and how many there are; a reload replaces it.

    Args:
        work: The work of each worker.
        count: The number of workers.
        limits: The timeouts.
        has_admin: Whether one of the workers serves the admin port.
        max_count: The most workers that an operator can add.
    """

    work: WorkerFunction
    count: int
    limits: ProcessSettings
    has_admin: bool = False
    max_count: int = 256


class WorkerProcess:
    """One worker process.

    Args:
        number: Identifies it among the live workers; the next worker may have it once this one has ended.

    Raises:
        OSError: The system cannot start a process now.
    """

    def __init__(self, plan: Plan, number: int) -> None:
        self.plan = plan
        self.number = number
        self.state = State.STARTING
        self.has_admin = False
        self.retires: str | None = None
        """The setting because of which it is to be replaced, or None."""
        self.missing_keys: frozenset[str] = frozenset()
        """The issuers whose keys it does not have."""
        self.failure: Failed | None = None
        self.is_killed = False
        self._requests = self._memory = 0
        self.started_at = self.last_beat = time.monotonic()
        self._deadline = self.started_at + plan.limits.worker_start_timeout
        self._connection, theirs = _CONTEXT.Pipe()
        self._process: SpawnProcess = _CONTEXT.Process(target=plan.work, args=(number, theirs), name=f"worker {number}")
        try:
            self._process.start()
        except OSError:
            self._connection.close()
            raise
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """The ID of the process."""
        return self._process.pid or 0

    @property
    def exit_code(self) -> int | None:
        """The exit code, negative for the number of a signal; None while the process runs."""
        return self._process.exitcode

    @property
    def accepts(self) -> bool:
        """Whether it accepts connections."""
        return self.state in {State.SERVING, State.READY}

    @property
    def handles(self) -> list[Connection | int]:
        """The objects that become readable when there is news of the worker."""
        return [self._process.sentinel] if self._connection.closed else [self._process.sentinel, self._connection]

    def read(self, now: float) -> None:
        """Read the messages of the worker."""
        if self._connection.closed:
            return
        try:
            for message in receive(self._connection):
                self._handle(message, now)  # type: ignore[arg-type]  # a worker sends no others
        except EOFError:
            self._connection.close()

    def send(self, message: ToWorker) -> None:
        """Send a message to the worker."""
        if not self._connection.closed:
            send(self._connection, message)

    def serve_admin(self) -> None:
        """Let the worker serve the admin port."""
        self.has_admin = True
        self.send(ServeAdmin())

    def drain(self, now: float, *, is_program: bool = False) -> None:
        """Let the worker finish its requests and exit; one that does not serve yet ends at once."""
        if self.state is State.STARTING:
            self.kill()
        self._begin_drain(now)
        self.send(Drain(is_program=is_program))

    def kill(self) -> None:
        """End the worker at once."""
        self.is_killed = True
        self._process.kill()

    def overdue(self, now: float) -> str | None:
        """Return what the worker has not done in time, or None."""
        if self.state is State.STARTING:
            return "start" if now >= self._deadline else None
        if self.state is State.DRAINING:
            return "stop" if now >= self._deadline else None
        return "respond" if now - self.last_beat >= self.plan.limits.worker_timeout else None

    def excuse(self, seconds: float) -> None:
        """Extend the times, because the supervisor itself was suspended, and the worker probably as well."""
        self.last_beat += seconds
        self._deadline += seconds

    def describe(self, now: float) -> WorkerState:
        """Return the state for operators."""
        return WorkerState(
            worker=self.number,
            pid=self.pid,
            state=self.state.value,
            age=round(now - self.started_at, 1),
            requests=self._requests,
            memory=self._memory,
        )

    def close(self) -> None:
        """Release the descriptors of a process that has ended."""
        self._process.join()
        self._process.close()
        self._connection.close()

    def _begin_drain(self, now: float) -> None:
        if self.state is not State.DRAINING:
            self.state = State.DRAINING
            self.has_admin = False
            self._deadline = now + self.plan.limits.drain_timeout + DRAIN_MARGIN

    def _handle(self, message: FromWorker, now: float) -> None:
        self.last_beat = now
        match message:
            case Serving() if self.state is State.STARTING:
                self.state = State.SERVING
            case Ready() if self.state is State.SERVING:
                self.state, self.missing_keys = State.READY, message.missing_keys
            case Draining():
                self._begin_drain(now)
            case Failed():
                self.failure = message
            case Heartbeat():
                self._requests, self._memory = message.requests, message.memory
                self.missing_keys = message.missing_keys
                self.retires = self.retires or message.retire
