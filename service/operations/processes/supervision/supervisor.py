"""Supervises the workers: acts on signals, on changed files, and on workers that end or do not respond."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from service.errors import SettingsError
from service.operations.processes.refusal import REFUSAL_TIME
from service.operations.processes.signals import STOP_SIGNALS, SignalQueue, Terminal, queued_signals
from service.operations.processes.supervision.orphans import reap_orphans
from service.operations.processes.supervision.pool import WorkerPool
from service.operations.processes.supervision.worker_process import DRAIN_MARGIN, Plan
from service.operations.processes.watched_files import WatchedFiles
from service.operations.sockets.notifier import Notifier

_logger = logging.getLogger(__name__)

_INTERVAL = 0.5
"""Seconds between two checks of the workers, if nothing happens before."""
_SUSPENDED_TIME = 2.0
"""Seconds beyond the interval after which the supervisor itself was suspended, such as by a paused container."""
_PUBLISH_INTERVAL = 1.0
"""Seconds."""
_EXIT_TIME = 5.0
"""Seconds that this process may take to end after its last worker."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What the supervisor runs.

    Args:
        plan: The workers.
        reload: Reads the settings again and returns the new plan; raises SettingsError or OSError.
        watched_files: Returns the files of secrets, keys and certificates of the current plan.
        prepare_reload: Called while the first workers start.
        announce: Called once the first worker accepts connections.
        refuse_connections: Called first when the program stops.
        close_sockets: Called before the workers are told to stop.
    """

    plan: Plan
    reload: Callable[[], Plan] | None = None
    watched_files: Callable[[], WatchedFiles] = field(default=lambda: WatchedFiles([]))
    prepare_reload: Callable[[], None] = lambda: None
    announce: Callable[[], None]
    refuse_connections: Callable[[], None] = lambda: None
    close_sockets: Callable[[], None] = lambda: None


class Supervisor:
    """Runs the workers until SIGINT or SIGTERM.

    Args:
        notifier: Tells systemd about the state of the program.
    """

    def __init__(self, program: Program, *, notifier: Notifier | None = None) -> None:
        self._program = program
        self._notifier = notifier or Notifier()
        self._pool = WorkerPool(program.plan)
        self._previous: Plan | None = None
        """The plan to return to if no worker of the current one can start."""
        self._is_reloading = self._is_announced = False
        self._close_sockets_at: float | None = None
        self._is_stopping = False
        self._exit_code = 0
        self._terminal = Terminal()
        self._files = program.watched_files()
        self._files_checked_at = self._watchdog_at = self._published_at = self._now = time.monotonic()

    def run(self) -> int:
        """Run until all workers have stopped; return the exit code, 1 if requests were dropped or none could start.

        Raises:
            SettingsError: The first worker cannot start with the settings.
        """
        with queued_signals() as signals:
            try:
                self._step(signals.take())
                self._program.prepare_reload()
                while not (self._is_stopping and self._pool.is_empty):
                    self._wait(signals)
                    self._step(signals.take())
            finally:
                # No worker may outlive its supervisor, however that ends.
                self._program.close_sockets()
                self._pool.close()
        return self._exit_code

    def _wait(self, signals: SignalQueue) -> None:
        before = time.monotonic()
        timeout = min(_INTERVAL, self._notifier.watchdog_interval or _INTERVAL)
        if before < self._pool.next_start_at:
            timeout = min(timeout, self._pool.next_start_at - before)
        if self._close_sockets_at is not None:
            timeout = min(timeout, max(0.0, self._close_sockets_at - before))
        wait([signals.fileno(), *self._pool.handles], timeout)
        self._now = time.monotonic()
        if (suspended := self._now - before - timeout) > _SUSPENDED_TIME:
            self._pool.excuse(suspended)

    def _step(self, received: list[signal.Signals]) -> None:
        self._terminal.check(self._now)
        for number in received:
            self._handle(number)
        self._pool.read(self._now)
        reap_orphans()
        self._pool.kill_overdue(self._now)
        if self._is_stopping:
            self._continue_stop()
            return
        self._check_files()
        self._check_start()
        if not self._is_stopping:
            self._pool.reconcile(self._now)
            self._report()

    def _handle(self, number: signal.Signals) -> None:
        if number in STOP_SIGNALS:
            self._stop_at_once() if self._is_stopping else self._stop(number.name)
        elif self._is_stopping:
            return
        elif number == signal.SIGHUP:
            self._stop("the terminal is closed") if self._terminal.was_just_closed(self._now) else self._reload(
                "SIGHUP"
            )
        elif number in {signal.SIGTTIN, signal.SIGTTOU}:
            self._change_count(1 if number == signal.SIGTTIN else -1)

    # --- stop

    def _stop(self, reason: str) -> None:
        timeout = self._pool.plan.limits.drain_timeout
        _logger.info("stopping, waiting for pending requests", extra={"reason": reason, "timeout_s": timeout})
        self._notifier.stopping("waiting for pending requests", within=REFUSAL_TIME + self._time_to_drain())
        self._is_stopping = True
        self._program.refuse_connections()
        self._close_sockets_at = self._now + REFUSAL_TIME

    def _continue_stop(self) -> None:
        if self._close_sockets_at is not None and self._now >= self._close_sockets_at:
            self._close_sockets_at = None
            self._program.close_sockets()
            self._pool.drain_all(self._now)

    def _stop_at_once(self) -> None:
        _logger.warning("a second signal, stopping at once; pending requests are dropped")
        self._exit_code = 1
        self._pool.kill_all()

    def _time_to_drain(self) -> float:
        """Return the seconds until the last worker has ended or is killed, and this process after it."""
        return self._pool.plan.limits.drain_timeout + DRAIN_MARGIN + _EXIT_TIME

    # --- start and reload

    def _check_start(self) -> None:
        """Announce the first worker, end a reload, and give up if no worker can start.

        Raises:
            SettingsError: The first worker cannot start with the settings.
        """
        if not self._is_announced and self._pool.has_server:
            self._is_announced = True
            self._program.announce()
            self._notifier.ready(self._status())
        if self._previous is not None and self._pool.has_ready_worker_of_plan:
            self._previous = None
        failure = self._pool.take_failure()
        if failure is not None and not self._is_announced and failure.is_settings_error:
            raise SettingsError(list(failure.problems))
        if failure is not None and self._previous is not None:
            self._pool.use(self._previous)
            self._previous = None
            self._report_failed_reload(failure.description)
        elif self._pool.cannot_start:
            self._give_up()
        elif self._is_reloading and not self._pool.is_replacing:
            self._is_reloading = False
            _logger.info("reload finished", extra={"workers": self._pool.count})
            self._notifier.ready(self._status())

    def _give_up(self) -> None:
        error = self._pool.last_failure
        _logger.error("no worker could start, so the program ends", extra={"error": error})
        self._notifier.stopping(f"no worker could start: {error}", within=self._time_to_drain())
        self._exit_code = 1
        self._is_stopping = True
        self._program.close_sockets()
        self._pool.drain_all(self._now)

    def _reload(self, reason: str) -> None:
        if self._program.reload is None:
            _logger.warning("reload ignored, because the program was started without a way to read its settings again")
            return
        _logger.info("reloading", extra={"reason": reason})
        self._notifier.reloading("reloading")
        try:
            plan = self._program.reload()
        except (SettingsError, OSError) as exc:
            problems = exc.problems if isinstance(exc, SettingsError) else [exc.strerror or str(exc)]
            self._report_failed_reload("; ".join(problems))
            return
        self._previous = self._previous or self._pool.plan
        self._pool.use(plan)
        self._is_reloading = True
        self._files = self._program.watched_files()

    def _report_failed_reload(self, error: str) -> None:
        self._is_reloading = False
        _logger.error("reload failed, the workers keep their settings", extra={"error": error})
        self._notifier.ready(f"reload failed: {error}")

    def _change_count(self, difference: int) -> None:
        count = min(max(1, self._pool.count + difference), self._pool.plan.max_count)
        if count == self._pool.count:
            _logger.warning("the number of workers stays the same", extra={"workers": count})
            return
        self._pool.count = count
        _logger.info("the number of workers changes", extra={"workers": count})
        self._notifier.status(self._status())

    def _check_files(self) -> None:
        interval = self._pool.plan.limits.file_check_interval
        if interval and self._now - self._files_checked_at >= interval:
            self._files_checked_at = self._now
            if self._files.have_changed():
                self._reload("a file of a secret or key has changed")

    # --- reports

    def _report(self) -> None:
        """Report to systemd that the workers respond, and to the admin port how they are."""
        interval = self._notifier.watchdog_interval
        if interval is not None and self._now - self._watchdog_at >= interval and self._pool.is_responding(self._now):
            self._watchdog_at = self._now
            self._notifier.watchdog()
        if self._now - self._published_at >= _PUBLISH_INTERVAL:
            self._published_at = self._now
            self._pool.publish(self._now)

    def _status(self) -> str:
        return f"serving, workers: {self._pool.count}"
