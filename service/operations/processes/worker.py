"""A worker's own side: tells the supervisor how it is, and stops when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import Protocol

from service.errors import SettingsError
from service.operations.processes.retirement import Retirement, resident_memory
from service.operations.processes.signals import ignore_stop_signals, leave_signals_to_supervisor
from service.operations.processes.supervision.link import (
    Drain,
    Draining,
    Failed,
    Heartbeat,
    ProgramState,
    Ready,
    ServeAdmin,
    Serving,
    ToWorker,
    receive,
    send,
)
from service.operations.start_errors import explain
from service.settings.groups.processes import ProcessSettings

_logger = logging.getLogger(__name__)

_MAX_HEARTBEAT_INTERVAL = 1.0
_MAX_RETIREMENT = 60.0
"""Seconds after SIGTERM in which the supervisor replaces or stops the worker, unless it hangs."""
_WARM_UP_TIMEOUT = 5.0
"""Seconds; a worker that replaces another one must not wait for an issuer that does not respond."""


class Served(Protocol):
    """What a worker serves."""

    @property
    def requests(self) -> int:
        """The number of requests so far."""

    @property
    def missing_keys(self) -> frozenset[str]:
        """The issuers whose keys are not there."""

    async def warm_up(self) -> None:
        """Fetch what the first requests need."""

    def serve_admin(self) -> None:
        """Serve the admin port, too."""

    def stop_admin(self) -> None:
        """Leave the admin port to another worker."""


class WorkerLife:
    """The life of a worker, from its start to its drain.

    Attributes:
        program: What the supervisor knows of all workers; None until it has sent that, to the worker that serves the
            admin port.
        is_program_stopping: Whether the whole program stops, and not only this worker.
        is_orphaned: Whether the supervisor has ended.
    """

    def __init__(self, connection: Connection, limits: ProcessSettings) -> None:
        self.program: ProgramState | None = None
        self.is_program_stopping = self.is_orphaned = False
        self._connection = connection
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._told_to_drain = asyncio.Event()
        self._told_to_serve_admin = asyncio.Event()
        self._loop.add_reader(connection.fileno(), self._read)
        # From an operator, or from a service manager that sends it to all processes of the program. The worker accepts
        # connections until the supervisor says otherwise: those that wait in the queue of the socket would be reset.
        self._loop.add_signal_handler(signal.SIGTERM, self._retire)
        self._is_terminated = asyncio.Event()

    async def run(self, served: Served) -> None:
        """Report that the worker serves, and return when it shall drain."""
        self._read()
        if self._told_to_serve_admin.is_set():
            served.serve_admin()
        send(self._connection, Serving())
        tasks = [
            asyncio.ensure_future(work)
            for work in (self._beat(served), self._warm_up(served), self._serve_admin(served))
        ]
        for task in tasks:
            task.add_done_callback(self._drain_after_error)
        await self._told_to_drain.wait()
        send(self._connection, Draining())
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
        if not self.is_program_stopping:
            served.stop_admin()

    async def _beat(self, served: Served) -> None:
        limits = self._limits
        retirement = Retirement(
            max_requests=limits.max_requests, jitter=limits.max_requests_jitter, max_memory=limits.max_worker_memory
        )
        retirement.check_start(resident_memory())
        while True:
            requests, memory = served.requests, resident_memory()
            retire = "SIGTERM" if self._is_terminated.is_set() else retirement.reason(requests=requests, memory=memory)
            missing = served.missing_keys
            send(self._connection, Heartbeat(requests=requests, memory=memory, retire=retire, missing_keys=missing))
            pause = min(_MAX_HEARTBEAT_INTERVAL, limits.worker_timeout / 4)
            if retire is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._is_terminated.wait(), pause)
            else:
                await asyncio.sleep(pause)

    async def _warm_up(self, served: Served) -> None:
        warm_up = asyncio.ensure_future(served.warm_up())
        done, _ = await asyncio.wait([warm_up], timeout=_WARM_UP_TIMEOUT)
        send(self._connection, Ready(missing_keys=served.missing_keys))
        if not done:
            _logger.warning("warm-up takes long, serving meanwhile", extra={"timeout_s": _WARM_UP_TIMEOUT})
        await warm_up

    async def _serve_admin(self, served: Served) -> None:
        await self._told_to_serve_admin.wait()
        served.serve_admin()

    def close(self) -> None:
        """Read no message any more."""
        self._loop.remove_reader(self._connection.fileno())
        ignore_stop_signals(self._loop)

    def _read(self) -> None:
        try:
            for message in receive(self._connection):
                self._handle(message)  # type: ignore[arg-type]  # the supervisor sends no others
        except EOFError:
            self._loop.remove_reader(self._connection.fileno())
            self.is_orphaned = self.is_program_stopping = True
            self._drain()

    def _handle(self, message: ToWorker) -> None:
        match message:
            case ServeAdmin():
                self._told_to_serve_admin.set()
            case Drain():
                self.is_program_stopping = message.is_program
                self._drain()
            case ProgramState():
                self.program = message

    def _retire(self) -> None:
        """Have the supervisor replace this worker, or stop it with all others; stop without it if it does neither."""
        if not self._is_terminated.is_set():
            self._is_terminated.set()
            self._loop.call_later(_MAX_RETIREMENT, self._drain)

    def _drain(self) -> None:
        """Stop, and ignore the signals that follow: the service manager may stop all processes together."""
        if not self._told_to_drain.is_set():
            ignore_stop_signals(self._loop)
            self._told_to_drain.set()

    def _drain_after_error(self, task: asyncio.Future[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._drain()


ServeFunction = Callable[[int, WorkerLife], Awaitable[None]]
"""Serves in a worker with this number until its life ends."""


def run_worker(serve: ServeFunction, limits: ProcessSettings, number: int, connection: Connection) -> None:
    """Run a worker process: serve, and report to the supervisor why it cannot."""
    leave_signals_to_supervisor()

    async def live() -> None:
        life = WorkerLife(connection, limits)
        try:
            await serve(number, life)
        finally:
            life.close()

    try:
        asyncio.run(live())
    except SettingsError as exc:
        send(connection, Failed(problems=tuple(exc.problems), is_settings_error=True))
        sys.exit(2)
    except Exception as exc:
        _logger.exception("worker failed")
        send(connection, Failed(problems=(_describe(exc),), is_settings_error=False))
        sys.exit(1)


def _describe(error: Exception) -> str:
    """Return an error on one line, with what to do if that is known."""
    if isinstance(error, OSError):
        return "; ".join(filter(None, explain(error)))
    return f"{type(error).__name__}: {error}"
