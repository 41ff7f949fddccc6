from __future__ import annotations

from service.operations.processes.supervision.restart_pause import RestartPause


def test_the_pause_grows_up_to_a_limit() -> None:
    pause = RestartPause()
    pauses = [pause.ended(0.0, lifetime=1.0, has_served=True) for _ in range(10)]
    assert sorted(pauses) == pauses
    assert (0.0, 30.0) == (pauses[0], pauses[-1])
    assert 30.0 == pause.over_at
    assert 0 == pause.failed_starts


def test_a_worker_that_has_served_for_long_starts_the_count_anew() -> None:
    pause = RestartPause()
    for _ in range(5):
        pause.ended(0.0, lifetime=1.0, has_served=False)
    assert 5 == pause.failed_starts
    pause.started()
    assert 0 == pause.failed_starts
    assert 0.0 == pause.ended(1000.0, lifetime=900.0, has_served=True)
    pause.reset()
    assert 0.0 == pause.over_at
