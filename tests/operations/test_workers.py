from __future__ import annotations

import functools
import os
import signal
from pathlib import Path

import pytest
import workers_at_work

from service.operations import workers
from service.operations.workers import Work, cores, run_workers


class Witness:
    """Stops everything once it is told that somebody serves, and remembers what it was told."""

    def __init__(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.seen: list[str] = []
        self._number = number

    def run(self, work: Work, *, count: int) -> list[str]:
        run_workers(work, count=count, announce=self._announce, at_stop=lambda: self.seen.append("stop"))
        return self.seen

    def _announce(self) -> None:
        self.seen.append("serves")
        os.kill(os.getpid(), self._number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_of_them_and_who_served_before_serves_again(number: signal.Signals) -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    assert ["serves", "stop"] == Witness(number).run(workers_at_work.serve, count=2)
    assert before == [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]


def test_one_that_dies_is_replaced_and_said_to_be(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_PAUSE", 2.0)  # longer than any of them takes to start and to end
    assert ["serves", "stop"] == Witness().run(functools.partial(workers_at_work.die_first, tmp_path), count=2)
    assert {f"worker {number} ended with 3 and is replaced" for number in range(2)} == set(caplog.messages)


def test_one_that_does_not_stop_is_killed(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "STOP_TIMEOUT", 0.05)
    assert ["serves", "stop"] == Witness().run(workers_at_work.outlive, count=1)
    assert ["worker 0 did not stop and is killed"] == caplog.messages


def test_there_is_a_core_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cores() >= 1
    monkeypatch.delattr(os, "sched_getaffinity")
    assert cores() >= 1
