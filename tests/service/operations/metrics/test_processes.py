from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.operations.metrics.folder import MULTIPROC_DIR_VARIABLE, forget_gauges

WORKER = """
import sys
from service.operations.metrics.processes import use_worker_number
use_worker_number(int(sys.argv[1]))
from service.operations.metrics.metrics import Metrics
metrics = Metrics(restarts=lambda: {"exited": 3})
for _ in range(int(sys.argv[2])):
    metrics.on_cache_error()
print(metrics.generate().decode())
"""


def test_counts_of_all_processes_are_added_and_gauges_of_ended_ones_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path))

    def run(number: int, errors: int) -> list[str]:
        command = [sys.executable, "-c", WORKER, str(number), str(errors)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    run(0, 2)
    run(1, 3)
    assert 2 == len(list(tmp_path.glob("gauge_live*.db")))
    forget_gauges(1)
    lines = run(0, 1)  # a process that continues the counts of one that has ended
    assert "resource_server_shared_cache_failures_total 6.0" in lines
    assert 'resource_server_worker_restarts_total{reason="exited"} 3.0' in lines
    assert 'resource_server_worker_restarts_total{reason="killed"} 0.0' in lines
    assert [f"gauge_livemax_{os.getpid()}-0.db"] == [file.name for file in tmp_path.glob("gauge_live*.db")]
