from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest
import workers_at_work

from service.operations import workers
from service.operations.logs.fields import fields_of
from service.operations.workers import WorkerFunction, cores, run_workers


class Witness:
    """Records the workers' messages and stops the program once one of them serves."""

    def __init__(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.seen: list[str] = []
        self.has_served: bool | None = None
        self._number = number

    def run(self, work: WorkerFunction, *, count: int) -> list[str]:
        at_stop = functools.partial(self.seen.append, "stop")
        self.has_served = run_workers(work, count=count, announce=self._announce, at_stop=at_stop)
        return self.seen

    def _announce(self) -> None:
        self.seen.append("serves")
        os.kill(os.getpid(), self._number)


def _events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, dict[str, Any]]]:
    """Return the messages of the log and their fields."""
    return [(record.message, fields_of(record)) for record in caplog.records]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_workers_and_further_ones_are_ignored(number: signal.Signals) -> None:
    assert ["serves", "stop"] == Witness(number).run(workers_at_work.serve, count=2)
    assert [signal.SIG_IGN] * 2 == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]


def test_a_worker_that_exits_is_restarted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_MIN_LIFETIME", 2.0)  # longer than a worker takes to start and exit
    assert ["serves", "stop"] == Witness().run(functools.partial(workers_at_work.die_first, tmp_path), count=2)
    expected = [("worker exited, restarting", {"worker": number, "exit_code": 3}) for number in range(2)]
    assert expected == sorted(_events(caplog), key=lambda event: event[1]["worker"])


def test_a_worker_that_does_not_stop_is_killed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "STOP_TIMEOUT", 0.05)
    assert ["serves", "stop"] == Witness().run(workers_at_work.outlive, count=1)
    assert [("worker did not stop, killing it", {"worker": 0})] == _events(caplog)


def test_there_is_at_least_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() >= 1


def test_a_worker_is_restarted_while_its_child_is_still_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child keeps the pipe open whose closing would report the exit of the worker."""
    monkeypatch.setattr(workers, "_POLL_INTERVAL", 0.05)
    monkeypatch.setattr(workers, "_MIN_LIFETIME", 0.05)
    started = time.monotonic()
    witness = Witness()
    assert ["serves", "stop"] == witness.run(functools.partial(workers_at_work.outlived_by_a_child, tmp_path), count=1)
    assert witness.has_served
    assert time.monotonic() - started < 15


def test_if_no_worker_can_start_the_program_exits(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_MIN_LIFETIME", 0.0)
    monkeypatch.setattr(workers, "_MAX_START_ATTEMPTS", 2)
    witness = Witness()
    assert ["stop"] == witness.run(workers_at_work.die, count=2)
    assert witness.has_served is False
    assert ("no worker could start; see their errors above", {"attempts": 2}) in _events(caplog)


@pytest.mark.parametrize(("pause", "count"), [(0.0, 1), (60.0, 2)], ids=["retried at once", "retried later"])
def test_a_failed_fork_leaves_the_other_workers_serving(
    pause: float, count: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_MIN_LIFETIME", pause)
    start, failures = SpawnProcess.start, iter([OSError(12, "Cannot allocate memory")])

    def scarce(self: SpawnProcess) -> None:
        for failure in failures:
            raise failure
        start(self)

    monkeypatch.setattr(SpawnProcess, "start", scarce)
    assert ["serves", "stop"] == Witness().run(workers_at_work.serve, count=count)
    fields = {"worker": 0, "error": "Cannot allocate memory"}
    assert [("worker could not be started, retrying", fields)] == _events(caplog)


def test_workers_exit_when_the_supervisor_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "_MIN_LIFETIME", 60.0)
    seen: list[str] = []

    def fail() -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_workers(workers_at_work.serve, count=2, announce=fail, at_stop=lambda: seen.append("stop"))
    assert ["stop"] == seen
    assert [] == multiprocessing.active_children()


def test_a_worker_that_exits_at_once_is_restarted_after_a_pause(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_POLL_INTERVAL", 0.05)
    monkeypatch.setattr(workers, "_MIN_LIFETIME", 60.0)
    work = functools.partial(workers_at_work.serve_behind_a_death, tmp_path)
    assert ["serves", "stop"] == Witness().run(work, count=2)
    assert [("worker exited, restarting", {"worker": 0, "exit_code": 3})] == _events(caplog)
