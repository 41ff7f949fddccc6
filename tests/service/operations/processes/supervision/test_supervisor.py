"""The supervisor with real processes, in which small functions take the place of the service."""

from __future__ import annotations

import functools
import multiprocessing
import multiprocessing.connection
import multiprocessing.context
import os
import signal
import socket
import sys
import time
import types
from collections.abc import Callable
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest
import workers_at_work

from service.errors import SettingsError
from service.operations.logs.fields import fields_of
from service.operations.processes.supervision import pool, restart_pause, supervisor, worker_process
from service.operations.processes.supervision.supervisor import Program, Supervisor
from service.operations.processes.supervision.worker_process import Plan, WorkerFunction
from service.operations.processes.watched_files import WatchedFiles
from service.operations.sockets.notifier import Notifier
from service.settings.groups.processes import ProcessSettings

Step = Callable[[Supervisor], bool]
"""Looks at the supervisor, acts on it, and returns whether its turn is over."""


class _Notifier(Notifier):
    """Keeps the messages to systemd."""

    def __init__(self, *, watchdog_timeout: float | None = None) -> None:
        super().__init__("/nowhere", watchdog_timeout=watchdog_timeout)
        self.sent: list[str] = []

    def _send(self, *assignments: str) -> None:
        self.sent.append(assignments[0])


class Run:
    """Runs a supervisor whose steps a test follows; after the last one, it is stopped by a signal."""

    def __init__(self, *steps: Step, stop: signal.Signals | None = signal.SIGTERM) -> None:
        self._steps = [*steps]
        self._stop = stop
        self._deadline = time.monotonic() + 60
        self.seen: list[str] = []
        self.notifier = _Notifier()
        self.exit_code = -1

    def __call__(
        self, work: WorkerFunction, *, count: int = 1, program: dict[str, Any] | None = None, **limits: float
    ) -> list[str]:
        plan = Plan(work=work, count=count, limits=ProcessSettings(**limits))  # type: ignore[arg-type]  # seconds
        names = ("announce", "refuse_connections", "close_sockets")
        hooks = {name: functools.partial(self._see, name) for name in names}
        run = Supervisor(Program(**{"plan": plan} | hooks | (program or {})), notifier=self.notifier)
        step = run._step

        def follow(received: list[signal.Signals]) -> None:
            step(received)
            assert time.monotonic() < self._deadline, "timed out"
            if not run._is_stopping:
                self._advance(run)

        run._step = follow  # type: ignore[method-assign]  # to look at each state
        self.exit_code = run.run()
        return self.seen

    def _see(self, name: str) -> None:
        if name not in self.seen:
            self.seen.append(name)

    def _advance(self, run: Supervisor) -> None:
        if self._steps:
            if self._steps[0](run):
                self._steps.pop(0)
        elif self._stop is not None:
            os.kill(os.getpid(), self._stop)
            self._stop = None


@pytest.fixture(scope="module")
def fork_server() -> multiprocessing.context.ForkServerContext:
    """Start workers by forking a process that has imported their modules, which takes milliseconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["workers_at_work"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        patch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
        forkserver.ensure_running()
    return context


@pytest.fixture(autouse=True)
def _use_fork_server(fork_server: multiprocessing.context.ForkServerContext, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_process, "_CONTEXT", fork_server)
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))  # else, each process imports pytest


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restart_pause, "_PAUSES", (0.0, 0.05))
    monkeypatch.setattr(supervisor, "_INTERVAL", 0.05)
    monkeypatch.setattr(supervisor, "_PUBLISH_INTERVAL", 0.05)


def _serve(count: int) -> Step:
    """Wait until so many workers are ready, and no other one exists."""
    return lambda run: ["ready"] * count == [worker.state.value for worker in run._pool._workers]


def _signal(number: signal.Signals) -> Step:
    def send(_run: Supervisor) -> bool:
        os.kill(os.getpid(), number)
        return True

    return send


def _kill(number: signal.Signals) -> Step:
    def kill(run: Supervisor) -> bool:
        os.kill(run._pool._workers[0].pid, number)
        return True

    return kill


def _events(caplog: pytest.LogCaptureFixture, *names: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the messages of the log and some of their fields."""
    return [
        (record.message, {n: v for n, v in fields_of(record).items() if n in names})
        for record in caplog.records
        if record.levelname in {"WARNING", "ERROR"}
    ]


def test_the_first_workers_start_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor waited half a second for news of workers that it had not started yet."""
    handles: list[int] = []

    def wait(objects: list[Any], timeout: float) -> list[Any]:
        handles.append(len(objects))
        return multiprocessing.connection.wait(objects, timeout)

    monkeypatch.setattr(supervisor, "wait", wait)
    Run(_serve(2))(workers_at_work.serve, count=2)
    assert 1 + 2 * 2 == handles[0]  # the signals, and two for each worker


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_all_workers(number: signal.Signals, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(_serve(2), stop=number)
    assert ["announce", "refuse_connections", "close_sockets"] == run(workers_at_work.serve, count=2)
    assert 0 == run.exit_code
    assert [] == _events(caplog)
    assert ["READY=1", "STOPPING=1"] == run.notifier.sent
    assert [signal.SIG_IGN] * 2 == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]


def test_a_second_signal_ends_the_program_at_once(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(_serve(1), stop=None)

    def stop_twice(current: Supervisor) -> bool:
        current._handle(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        return True

    run._steps.append(stop_twice)
    run(workers_at_work.outlive)
    assert 1 == run.exit_code
    assert [("a second signal, stopping at once; pending requests are dropped", {})] == _events(caplog)


def test_a_worker_that_does_not_stop_is_killed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_process, "DRAIN_MARGIN", 0.05)
    run = Run(_serve(1))
    run(workers_at_work.outlive, drain_timeout=0.05)
    assert 0 == run.exit_code
    assert [("worker did not stop in time, killing it", {"worker": 0})] == _events(caplog, "worker")


def test_a_worker_that_exits_is_replaced_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(_serve(2))
    run(functools.partial(workers_at_work.die_first, tmp_path), count=2)
    assert 0 == run.exit_code
    expected = [("worker exited, restarting", {"worker": number, "exit_code": 3}) for number in range(2)]
    assert expected == sorted(_events(caplog, "worker", "exit_code"), key=lambda event: event[1]["worker"])


def test_a_worker_is_replaced_while_its_child_is_still_running(tmp_path: Path) -> None:
    """The child keeps the pipes open whose closing would report the exit of the worker."""
    started = time.monotonic()
    Run(_serve(1))(functools.partial(workers_at_work.outlived_by_a_child, tmp_path))
    assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("work", "missed"),
    [(workers_at_work.hang_at_start, "start"), (workers_at_work.freeze_first, "respond")],
)
def test_a_worker_that_does_nothing_is_killed_and_replaced(
    work: Callable[..., None], missed: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def is_replaced(run: Supervisor) -> bool:
        return run._pool._restarts["killed"] == 1 and _serve(1)(run)

    run = Run(is_replaced)
    run(functools.partial(work, tmp_path), worker_start_timeout=5.0, worker_timeout=2.0)
    assert 0 == run.exit_code
    assert f"worker did not {missed} in time, killing it" in [event for event, _ in _events(caplog)]


def test_if_no_worker_can_start_the_program_ends(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(stop=None)
    run._steps.append(lambda _: False)
    assert ["close_sockets"] == run(workers_at_work.die, count=2)
    assert 1 == run.exit_code
    error = "a worker ended with the code 3 before it served"
    assert ("no worker could start, so the program ends", {"error": error}) in _events(caplog, "error")


def test_if_no_worker_can_start_any_more_the_program_ends(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = Run(stop=None)
    run._steps.append(lambda _: False)
    assert ["announce", "close_sockets"] == run(functools.partial(workers_at_work.serve_then_fail, tmp_path))
    assert 1 == run.exit_code
    assert 1 + pool._MAX_FAILED_STARTS == [event for event, _ in _events(caplog)].count("worker exited, restarting")


def test_an_error_in_the_settings_ends_the_start() -> None:
    with pytest.raises(SettingsError, match="routes: wrong"):
        Run(lambda _: False)(workers_at_work.fail, count=2)
    assert [] == multiprocessing.active_children()


def test_a_failed_fork_is_tried_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    start, failures = ForkServerProcess.start, iter([OSError(12, "Cannot allocate memory")])

    def scarce(self: ForkServerProcess) -> None:
        for failure in failures:
            raise failure
        start(self)

    monkeypatch.setattr(ForkServerProcess, "start", scarce)
    Run(_serve(1))(workers_at_work.serve)
    ((event, fields),) = _events(caplog, "worker", "error")
    assert "worker could not be started, retrying" == event
    assert fields["error"].startswith("Cannot allocate memory; ")


def test_workers_exit_when_the_supervisor_fails() -> None:
    def fail() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        Run(lambda _: False)(workers_at_work.serve, count=2, program={"announce": fail})
    assert [] == multiprocessing.active_children()


def _reload(plan: Plan | Exception) -> Callable[[], Plan]:
    def reload() -> Plan:
        if isinstance(plan, Exception):
            raise plan
        return plan

    return reload


def _numbers(run: Supervisor) -> list[int]:
    return [worker.number for worker in run._pool._workers]


def test_a_reload_replaces_the_workers_one_by_one(caplog: pytest.LogCaptureFixture) -> None:
    plan = Plan(work=workers_at_work.serve, count=2, limits=ProcessSettings())
    counts: list[int] = []
    places: set[int] = set()

    def is_replaced(run: Supervisor) -> bool:
        states = [worker.state.value for worker in run._pool._workers]
        counts.append(states.count("ready"))
        assert len(set(_numbers(run))) == len(states), "two live workers have the same number"
        places.update(_numbers(run))
        return not run._pool.is_replacing and _serve(2)(run)

    run = Run(_serve(2), _signal(signal.SIGHUP), lambda run: run._is_reloading, is_replaced)
    run(workers_at_work.serve, count=2, program={"reload": _reload(plan)})
    assert 0 == run.exit_code
    assert {2} == set(counts), "fewer than two workers were ready"
    assert places <= {0, 1, 2, 3}
    assert ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"] == run.notifier.sent
    assert [] == _events(caplog)


@pytest.mark.parametrize(
    "plan",
    [
        SettingsError(["port: wrong"]),
        PermissionError(13, "port: wrong"),
        Plan(work=workers_at_work.fail, count=3, limits=ProcessSettings()),
        Plan(work=workers_at_work.die, count=3, limits=ProcessSettings()),
    ],
    ids=["settings", "files", "application", "code"],
)
def test_a_failed_reload_leaves_the_workers(plan: Plan | Exception, caplog: pytest.LogCaptureFixture) -> None:
    before: list[int] = []

    def remember(run: Supervisor) -> bool:
        before.extend(worker.pid for worker in run._pool._workers)
        return True

    def has_failed(run: Supervisor) -> bool:
        return "reload failed, the workers keep their settings" in caplog.text and _serve(2)(run)

    def is_unchanged(run: Supervisor) -> bool:
        assert before == [worker.pid for worker in run._pool._workers]
        return True

    run = Run(_serve(2), remember, _signal(signal.SIGHUP), has_failed, is_unchanged)
    run(workers_at_work.serve, count=2, program={"reload": _reload(plan)})
    assert 0 == run.exit_code
    assert ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"] == run.notifier.sent


def test_without_a_way_to_read_the_settings_a_reload_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(_serve(1), _signal(signal.SIGHUP), lambda _: "reload ignored" in caplog.text)
    run(workers_at_work.serve)
    assert 0 == run.exit_code


def test_a_changed_file_causes_a_reload(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    plan = Plan(work=workers_at_work.serve, count=1, limits=ProcessSettings(file_check_interval=0.05))
    secret = tmp_path / "secret"
    secret.write_text("old")

    def change(_run: Supervisor) -> bool:
        secret.write_text("new")
        return True

    caplog.set_level("INFO")
    run = Run(_serve(1), change, lambda _: "reload finished" in caplog.text)
    watching = {"reload": _reload(plan), "watched_files": lambda: WatchedFiles([str(secret)])}
    run(workers_at_work.serve, file_check_interval=0.05, program=watching)
    assert ["a file of a secret or key has changed"] == [
        fields["reason"] for event, fields in _infos(caplog) if event == "reloading"
    ]


def _infos(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    return [(record.message, fields_of(record)) for record in caplog.records]


def test_the_number_of_workers_follows_signals(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(_serve(1), _signal(signal.SIGTTIN), _serve(2), _signal(signal.SIGTTOU), _serve(1))
    run._steps += [_signal(signal.SIGTTOU), lambda _: "the number of workers stays the same" in caplog.text, _serve(1)]
    run(workers_at_work.serve)
    assert 0 == run.exit_code


def test_a_worker_that_retires_is_replaced_first(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    counts: list[int] = []

    def is_replaced(run: Supervisor) -> bool:
        if "announce" in run_.seen:
            counts.append(sum(worker.accepts for worker in run._pool._workers))
        return run._pool._restarts["max_requests"] == 1 and _serve(1)(run)

    run_ = Run(is_replaced)
    run_(functools.partial(workers_at_work.retire_first, tmp_path))
    assert 0 not in counts
    assert {"worker": 0, "reason": "max_requests"} in [
        {name: fields.get(name) for name in ("worker", "reason")} for _, fields in _infos(caplog)
    ]


def test_a_worker_does_not_retire_while_its_replacement_lacks_keys(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def is_tried(run: Supervisor) -> bool:
        return (tmp_path / "replaced").exists() and "worker retires later" in caplog.text and _serve(1)(run)

    run = Run(is_tried)
    run(functools.partial(workers_at_work.retire_without_keys, tmp_path))
    assert 0 == run.exit_code
    assert [{"issuers": ["https://issuer.example"], "pause_s": 30.0}] == [
        fields for event, fields in _events(caplog, "issuers", "pause_s") if event.startswith("worker retires later")
    ]


def test_a_sigterm_of_an_operator_replaces_a_worker(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(_serve(2), _kill(signal.SIGTERM), lambda run: run._pool._restarts["exited"] == 1, _serve(2))
    run(workers_at_work.serve, count=2)
    assert 0 == run.exit_code


def test_one_worker_serves_the_admin_port_and_another_one_takes_over(tmp_path: Path) -> None:
    def holders(run: Supervisor) -> list[int]:
        return [worker.number for worker in run._pool._workers if worker.has_admin]

    def is_told(run: Supervisor) -> bool:
        texts = [(tmp_path / str(number)) for number in holders(run)]
        return len(texts) == 1 and texts[0].exists() and "ServeAdmin" in texts[0].read_text()

    first: list[int] = []

    def kill_holder(run: Supervisor) -> bool:
        first.extend(worker.pid for worker in run._pool._workers if worker.has_admin)
        os.kill(first[0], signal.SIGKILL)
        return True

    def has_moved(run: Supervisor) -> bool:
        pids = [worker.pid for worker in run._pool._workers if worker.has_admin]
        return len(pids) == 1 and pids != first

    def is_informed(run: Supervisor) -> bool:
        return is_told(run) and "'exited': 1" in (tmp_path / str(holders(run)[0])).read_text()

    run = Run(_serve(2), is_told, kill_holder, has_moved, _serve(2), is_informed)
    plan = Plan(
        work=functools.partial(workers_at_work.serve_and_write, tmp_path),
        count=2,
        limits=ProcessSettings(),
        has_admin=True,
    )
    run(workers_at_work.serve, program={"plan": plan})
    assert 0 == run.exit_code


def test_the_watchdog_is_fed_only_while_a_worker_responds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_ANSWER_TIME", 0.5)
    fed: list[int] = []

    def is_silent(run: Supervisor) -> bool:
        fed.append(run_.notifier.sent.count("WATCHDOG=1"))
        return len(fed) > 100 and fed[-1] == fed[-40]

    run_ = Run(_serve(1), lambda _: "WATCHDOG=1" in run_.notifier.sent, _kill(signal.SIGSTOP), is_silent)
    run_._steps.append(_kill(signal.SIGKILL))
    run_.notifier = _Notifier(watchdog_timeout=0.04)
    run_(workers_at_work.serve)


def test_a_supervisor_that_was_suspended_does_not_kill_its_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_SUSPENDED_TIME", 0.2)

    def sleep(run: Supervisor) -> bool:
        signals = socket.socketpair()
        with signals[0], signals[1]:
            monkeypatch.setattr(supervisor, "wait", lambda *_: time.sleep(1.5))
            run._wait(signals[0])  # type: ignore[arg-type]  # has a descriptor
        monkeypatch.undo()
        assert not [worker for worker in run._pool._workers if worker.overdue(run._now)]
        return True

    run = Run(_serve(1), sleep)
    run(workers_at_work.serve, worker_timeout=1.0)
    assert 0 == run.exit_code
