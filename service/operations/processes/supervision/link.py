"""The connection between the supervisor and a worker, and the messages on it."""

from __future__ import annotations

import contextlib
import select
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection


@dataclass(frozen=True, kw_only=True, slots=True)
class Serving:
    """The worker accepts connections."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ready:
    """The worker has tried to fetch what its first requests need, so another one may stop.

    Args:
        missing_keys: The issuers whose keys it could not fetch.
    """

    missing_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Draining:
    """The worker finishes its requests and exits, as it was told to, or because of a SIGTERM of an operator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The worker cannot serve.

    Args:
        problems: One sentence for each problem.
        is_settings_error: Whether the settings have to be changed.
    """

    problems: tuple[str, ...]
    is_settings_error: bool

    @property
    def description(self) -> str:
        """All problems in one line."""
        return "; ".join(self.problems)


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """The event loop of the worker runs.

    Args:
        requests: The number of requests that the worker has received.
        memory: Its resident memory in bytes.
        retire: The setting that makes the worker retire, or None.
        missing_keys: The issuers whose keys it does not have.
    """

    requests: int
    memory: int
    retire: str | None
    missing_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class ServeAdmin:
    """The worker shall serve the admin port from now on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Drain:
    """The worker shall finish its requests and exit.

    Args:
        is_program: Whether the whole program stops, and not only this worker.
    """

    is_program: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkerState:
    """What the supervisor knows of a worker.

    Args:
        worker: Its number.
        age: Seconds since its start.
    """

    worker: int
    pid: int
    state: str
    age: float
    requests: int
    memory: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgramState:
    """What the supervisor knows of all workers.

    Args:
        restarts: The workers that were replaced since the start, by reason.
    """

    workers: tuple[WorkerState, ...]
    restarts: dict[str, int]


FromWorker = Serving | Ready | Draining | Failed | Heartbeat
ToWorker = ServeAdmin | Drain | ProgramState


def send(connection: Connection, message: FromWorker | ToWorker) -> None:
    """Send a message, unless the other process has ended, or has not read for so long that the call would block."""
    poll = select.poll()
    poll.register(connection, select.POLLOUT)
    with contextlib.suppress(OSError):
        if poll.poll(0):
            connection.send(message)


def receive(connection: Connection) -> Iterator[FromWorker | ToWorker]:
    """Yield the messages that have arrived.

    Raises:
        EOFError: The other process has ended.
    """
    try:
        while connection.poll():
            yield connection.recv()
    except OSError:
        raise EOFError from None
