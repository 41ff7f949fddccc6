"""The workers of the program: starts, replaces and drains them so that as many serve as the plan says."""

from __future__ import annotations

import logging
from collections import Counter
from multiprocessing.connection import Connection

from service.operations.metrics.folder import forget_gauges
from service.operations.processes.supervision.link import Failed, ProgramState
from service.operations.processes.supervision.restart_pause import RestartPause
from service.operations.processes.supervision.worker_process import Plan, State, WorkerProcess
from service.operations.start_errors import explain

_logger = logging.getLogger(__name__)

_MAX_FAILED_STARTS = 4
"""Workers in a row that end before they serve, after which the program gives up if no other worker serves."""
_RETIREMENT_PAUSE = 30.0
"""Seconds until the next attempt to replace a worker that retires; an outage of an issuer may be over then."""
_ANSWER_TIME = 5.0
"""Seconds without a heartbeat after which a worker does not count as responding."""


class WorkerPool:
    """The live workers.

    A worker is replaced in three steps: a new one starts, it is ready, the old one drains. So the number of workers
    that serve is never lower than in the plan, and higher by at most one.

    Attributes:
        plan: What new workers do; workers of an earlier plan are replaced one by one.
        count: The number of workers, which an operator can change.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.count = plan.count
        self._has_served = False
        self._retirement_from = 0.0
        self._failure: Failed | None = None
        self._last_failure: Failed | None = None
        self._workers: list[WorkerProcess] = []
        self._pause = RestartPause()
        self._restarts: Counter[str] = Counter()

    @property
    def handles(self) -> list[Connection | int]:
        """The objects that become readable when there is news of a worker."""
        return [handle for worker in self._workers for handle in worker.handles]

    @property
    def is_empty(self) -> bool:
        """Whether no process of a worker exists."""
        return not self._workers

    @property
    def has_server(self) -> bool:
        """Whether a worker accepts connections."""
        return any(worker.accepts for worker in self._workers)

    @property
    def is_replacing(self) -> bool:
        """Whether not all workers are of the current plan and ready."""
        ready = [worker for worker in self._active if worker.plan is self.plan and worker.state is State.READY]
        return not len(ready) == len(self._active) == self.count

    @property
    def has_ready_worker_of_plan(self) -> bool:
        """Whether a worker of the current plan is ready."""
        return any(worker.plan is self.plan and worker.state is State.READY for worker in self._active)

    @property
    def cannot_start(self) -> bool:
        """Whether no worker accepts connections, and none could be started for several times."""
        return not self.has_server and self._pause.failed_starts >= _MAX_FAILED_STARTS

    @property
    def next_start_at(self) -> float:
        """The monotonic time before which no worker is started."""
        return self._pause.over_at

    @property
    def last_failure(self) -> str:
        """Why the last worker could not start."""
        return self._last_failure.description if self._last_failure else "see above"

    def take_failure(self) -> Failed | None:
        """Return why a worker of the current plan could not start, unless an earlier call has returned it."""
        failure, self._failure = self._failure, None
        return failure

    def is_responding(self, now: float) -> bool:
        """Return whether the event loop of a worker that accepts connections runs."""
        return any(worker.accepts and now - worker.last_beat < _ANSWER_TIME for worker in self._workers)

    def use(self, plan: Plan) -> None:
        """Replace the workers, one by one, by those of another plan."""
        self.plan = plan
        self.count = plan.count
        self._pause.reset()

    def read(self, now: float) -> None:
        """Read the messages of the workers, and remove those that have ended."""
        for worker in list(self._workers):
            worker.read(now)
            if worker.accepts:
                self._has_served = True
                self._pause.started()
            if worker.exit_code is not None:
                worker.read(now)  # what it has sent before it ended
                self._remove(worker, now)

    def excuse(self, seconds: float) -> None:
        """Extend all times, because the supervisor was suspended."""
        for worker in self._workers:
            worker.excuse(seconds)

    def kill_overdue(self, now: float) -> None:
        """Kill the workers that do not start, respond or stop in time."""
        for worker in self._workers:
            if not worker.is_killed and (missed := worker.overdue(now)) is not None:
                _logger.error("worker did not %s in time, killing it", missed, extra=_fields(worker))
                worker.kill()

    def reconcile(self, now: float) -> None:
        """Start, drain and replace workers."""
        for worker in self._active:
            if self._is_outdated(worker, now) and worker.state is State.STARTING:
                worker.drain(now)
        self._drain_surplus(now)
        active = self._active
        outdated = [worker for worker in active if self._is_outdated(worker, now)]
        missing = self.count - (len(active) - len(outdated))
        room = self.count + bool(outdated) - len(active)
        for _ in range(min(missing, room)):
            if now < self._pause.over_at:
                break
            self._start(now)
        self._choose_admin()

    def drain_all(self, now: float) -> None:
        """Let all workers finish their requests and exit."""
        for worker in self._workers:
            worker.drain(now, is_program=True)

    def kill_all(self) -> None:
        """End all workers at once."""
        for worker in self._workers:
            worker.state = State.DRAINING
            worker.kill()

    def close(self) -> None:
        """End all workers at once, and wait until they have ended."""
        self.kill_all()
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    def describe(self, now: float) -> ProgramState:
        """Return the state for operators."""
        return ProgramState(
            workers=tuple(worker.describe(now) for worker in self._workers), restarts=dict(self._restarts)
        )

    def publish(self, now: float) -> None:
        """Send the state to the worker that serves the admin port."""
        state = self.describe(now)
        for worker in self._workers:
            if worker.has_admin:
                worker.send(state)

    @property
    def _active(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if worker.state is not State.DRAINING and not worker.is_killed]

    def _is_outdated(self, worker: WorkerProcess, now: float) -> bool:
        return worker.plan is not self.plan or (worker.retires is not None and now >= self._retirement_from)

    def _drain_surplus(self, now: float) -> None:
        """Drain workers while more than enough are ready; first those that are to be replaced, then the last ones."""
        ready = [worker for worker in self._active if worker.state is State.READY]
        ready.sort(key=lambda worker: (not self._is_outdated(worker, now), -worker.started_at))
        for worker in ready[: max(0, len(ready) - self.count)]:
            reason = worker.retires or ("reload" if worker.plan is not self.plan else "fewer workers")
            newest = max(ready, key=lambda each: each.started_at)
            if worker.plan is self.plan and worker.retires and newest.missing_keys - worker.missing_keys:
                missing = sorted(newest.missing_keys - worker.missing_keys)
                _logger.warning(
                    "worker retires later, because its replacement cannot fetch the keys that it has",
                    extra={**_fields(worker), "issuers": missing, "pause_s": _RETIREMENT_PAUSE},
                )
                self._retirement_from = now + _RETIREMENT_PAUSE
                newest.drain(now)
                return
            _logger.info("worker drains", extra={**_fields(worker), "reason": reason})
            self._restarts[reason] += 1
            worker.drain(now)

    def _start(self, now: float) -> None:
        number = next(n for n in range(len(self._workers) + 1) if all(n != worker.number for worker in self._workers))
        try:
            worker = WorkerProcess(self.plan, number)
        except OSError as exc:
            pause = self._pause.ended(now, lifetime=0.0, has_served=False)
            error = "; ".join(filter(None, explain(exc)))
            fields = {"worker": number, "error": error, "pause_s": pause}
            _logger.warning("worker could not be started, retrying", extra=fields)
            self._fail(Failed(problems=(f"no process could be started: {error}",), is_settings_error=False))
            return
        if self.plan.has_admin and not any(each.has_admin or each.accepts for each in self._active):
            worker.serve_admin()  # before it accepts connections, so that both ports work once that is announced
        self._workers.append(worker)
        _logger.debug("worker starts", extra=_fields(worker))

    def _choose_admin(self) -> None:
        """Let one worker serve the admin port, if none that remains does."""
        if not self.plan.has_admin or any(worker.has_admin for worker in self._active):
            return
        candidates = [worker for worker in self._active if worker.accepts]
        if candidates:
            max(candidates, key=lambda worker: (worker.plan is self.plan, worker.started_at)).serve_admin()

    def _remove(self, worker: WorkerProcess, now: float) -> None:
        self._workers.remove(worker)
        fields = {**_fields(worker), "exit_code": worker.exit_code}
        if worker.state is State.STARTING:
            failure = worker.failure or Failed(
                problems=(f"a worker ended with the code {worker.exit_code} before it served",), is_settings_error=False
            )
            fields["error"] = failure.description
            if worker.plan is self.plan:
                self._fail(failure)
        if worker.state is not State.DRAINING:
            pause = self._pause.ended(now, lifetime=now - worker.started_at, has_served=worker.accepts)
            self._restarts["killed" if worker.is_killed else "exited"] += 1
            if self._has_served or self._failure is None or not self._failure.is_settings_error:
                _logger.warning("worker exited, restarting", extra={**fields, "pause_s": pause})
        elif worker.exit_code and not worker.is_killed:
            _logger.warning("worker did not stop cleanly", extra=fields)
        worker.close()
        if worker.plan.has_admin:
            forget_gauges(worker.number)

    def _fail(self, failure: Failed) -> None:
        self._failure = self._last_failure = failure


def _fields(worker: WorkerProcess) -> dict[str, object]:
    return {"worker": worker.number, "pid": worker.pid}
