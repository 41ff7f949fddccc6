from __future__ import annotations

import functools
import multiprocessing
import os
import signal
import time
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest
import workers_at_work

from service.operations import workers
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_workers_and_restores_handlers(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    assert ["serves", "stop"] == Witness(number).run(workers_at_work.serve, count=2)
    assert before == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]


def test_a_worker_that_exits_is_restarted_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_MIN_LIFETIME", 2.0)  # longer than any of them takes to start and to end
    assert ["serves", "stop"] == Witness().run(functools.partial(workers_at_work.die_first, tmp_path), count=2)
    assert {f"worker {number} ended with 3, restarting" for number in range(2)} == set(caplog.messages)


def test_a_worker_that_does_not_stop_is_killed(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "STOP_TIMEOUT", 0.05)
    assert ["serves", "stop"] == Witness().run(workers_at_work.outlive, count=1)
    assert ["worker 0 did not stop and is killed"] == caplog.messages


def test_there_is_at_least_one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() >= 1


def test_a_worker_is_restarted_although_its_child_lives_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child holds the end of the pipe that would tell of the death."""
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
    assert "no worker could start within 2 attempts" in caplog.text


@pytest.mark.parametrize(("pause", "count"), [(0.0, 1), (60.0, 2)], ids=["soon there is some", "there is none"])
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
    assert ["worker 0 could not be started (Cannot allocate memory), restarting"] == caplog.messages


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
    assert ["worker 0 ended with 3, restarting"] == caplog.messages
