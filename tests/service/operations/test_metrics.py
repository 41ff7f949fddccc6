from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from service.operations.metrics import MULTIPROC_DIR_VARIABLE, Metrics, multiprocess_metrics

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "metrics.rst"


def _lines(metrics: Metrics) -> list[str]:
    return metrics.generate().decode().splitlines()


def test_events_are_counted() -> None:
    metrics = Metrics()
    for status, reason in ((200, None), (401, "expired"), (401, "expired"), (503, "issuer_unavailable")):
        metrics.on_response(method="GET", status=status, seconds=0.02, reason=reason)
    metrics.on_issuer_request(url="https://issuer.example/keys", outcome="failed", seconds=2.5)
    metrics.on_cache_error()
    counted = {
        'resource_server_requests_total{method="GET",status="200"} 1.0',
        'resource_server_requests_total{method="GET",status="401"} 2.0',
        "resource_server_request_seconds_count 4.0",
        'resource_server_rejections_total{reason="expired"} 2.0',
        'resource_server_rejections_total{reason="issuer_unavailable"} 1.0',
        'resource_server_issuer_requests_total{outcome="failed",url="https://issuer.example/keys"} 1.0',
        'resource_server_issuer_request_seconds_sum{url="https://issuer.example/keys"} 2.5',
        "resource_server_shared_cache_failures_total 1.0",
    }
    assert counted <= set(_lines(metrics))


def test_client_input_is_never_a_label() -> None:
    metrics = Metrics()
    for number in range(100):
        metrics.on_response(method=f"M{number}", status=405, seconds=0.0, reason=None)
    assert ['resource_server_requests_total{method="other",status="405"} 100.0'] == [
        line for line in _lines(metrics) if line.startswith("resource_server_requests_total")
    ]


def test_every_metric_is_documented() -> None:
    generate = {line.split()[2] for line in _lines(Metrics()) if line.startswith("# TYPE")}
    named = set(re.findall(r"``(resource_server_\w+)``", PAGE.read_text("utf-8")))
    assert {name for name in generate if not name.endswith("_created")} == named


def test_processes_share_a_temporary_metrics_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MULTIPROC_DIR_VARIABLE, raising=False)
    with multiprocess_metrics():
        folder = Path(os.environ[MULTIPROC_DIR_VARIABLE])
        assert folder.is_dir()
        assert [] == _lines(Metrics())  # no process has written yet
    assert not folder.exists()
    assert MULTIPROC_DIR_VARIABLE not in os.environ


def test_a_configured_metrics_folder_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(MULTIPROC_DIR_VARIABLE, str(tmp_path))
    with multiprocess_metrics():
        assert str(tmp_path) == os.environ[MULTIPROC_DIR_VARIABLE]
    assert str(tmp_path) == os.environ[MULTIPROC_DIR_VARIABLE]
