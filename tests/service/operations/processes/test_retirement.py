from __future__ import annotations

from pathlib import Path

import pytest

from service.operations.processes.retirement import Retirement, resident_memory


def _retires_at(retirement: Retirement) -> int:
    return next(n for n in range(1000) if retirement.reason(requests=n, memory=0))


@pytest.mark.parametrize(
    ("jitter", "lowest", "highest"), [(None, 100, 110), (0, 100, 100), (50, 100, 150)], ids=["default", "none", "own"]
)
def test_a_worker_retires_after_its_requests_and_a_jitter(jitter: int | None, lowest: int, highest: int) -> None:
    seen = {_retires_at(Retirement(max_requests=100, jitter=jitter, max_memory=None)) for _ in range(300)}
    assert lowest <= min(seen) <= max(seen) <= highest
    assert (len(seen) == 1) == (jitter == 0)


def test_a_worker_retires_at_its_memory(caplog: pytest.LogCaptureFixture) -> None:
    retirement = Retirement(max_requests=None, jitter=None, max_memory=1000)
    retirement.check_start(999)
    assert retirement.reason(requests=10**9, memory=999) is None
    assert "max_worker_memory" == retirement.reason(requests=0, memory=1000)
    assert not caplog.records


def test_a_limit_that_a_new_worker_exceeds_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    retirement = Retirement(max_requests=None, jitter=None, max_memory=1000)
    retirement.check_start(1000)
    assert retirement.reason(requests=0, memory=5000) is None
    assert 1 == len(caplog.records)


def test_the_memory_of_this_process_is_known() -> None:
    assert resident_memory() > 10_000_000
    assert 0 == resident_memory(Path("/nowhere"))
