from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.errors import SettingsError
from service.operations.metrics.metrics import Metrics
from service.operations.metrics.processes import MULTIPROC_DIR_VARIABLE, forget_gauges, multiprocess_metrics

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


def _lines(metrics: Metrics) -> list[str]:
    return metrics.generate().decode().splitlines()


def test_processes_share_a_temporary_metrics_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROC_DIR_VARIABLE, raising=False)
    with multiprocess_metrics():
        folder = Path(os.environ[MULTIPROC_DIR_VARIABLE])
        assert folder.is_dir()
        assert not [line for line in _lines(Metrics()) if line.startswith("http")]  # no process has written yet
    assert not folder.exists()
    assert MULTIPROC_DIR_VARIABLE not in os.environ


def test_a_configured_metrics_folder_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path))
    with multiprocess_metrics():
        assert str(tmp_path) == os.environ[MULTIPROC_DIR_VARIABLE]
    assert str(tmp_path) == os.environ[MULTIPROC_DIR_VARIABLE]


def test_a_configured_metrics_folder_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path / "missing"))
    with pytest.raises(SettingsError, match="No such file or directory; create that folder"), multiprocess_metrics():
        pass


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


def test_files_of_an_earlier_program_with_the_same_process_id_are_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path))
    own, other = f"gauge_livesum_{os.getpid()}-3.db", f"counter_{os.getpid() + 1}-3.db"
    for name in (own, other):
        (tmp_path / name).touch()
    with multiprocess_metrics():
        assert [other] == [file.name for file in tmp_path.iterdir()]
