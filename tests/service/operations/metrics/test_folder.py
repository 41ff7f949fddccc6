from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.errors import SettingsError
from service.operations.metrics.folder import MULTIPROC_DIR_VARIABLE, forget_gauges, multiprocess_metrics
from service.operations.metrics.metrics import Metrics


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


def test_files_of_an_earlier_program_with_the_same_process_id_are_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path))
    own, other = f"gauge_livesum_{os.getpid()}-3.db", f"counter_{os.getpid() + 1}-3.db"
    for name in (own, other):
        (tmp_path / name).touch()
    with multiprocess_metrics():
        assert [other] == [file.name for file in tmp_path.iterdir()]


def test_the_gauges_of_a_worker_that_has_ended_are_removed_and_its_counts_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(MULTIPROC_DIR_VARIABLE, raising=False)
    forget_gauges(1)  # a single process has no folder
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path))
    own = os.getpid()
    kept = {f"counter_{own}-1.db", f"gauge_livesum_{own}-11.db", f"gauge_livesum_{own}-0.db", "gauge_livesum_1-1.db"}
    for name in (*kept, f"gauge_livesum_{own}-1.db", f"gauge_livemax_{own}-1.db"):
        (tmp_path / name).touch()
    forget_gauges(1)
    assert kept == {file.name for file in tmp_path.iterdir()}
