from __future__ import annotations

import os
import resource
import tempfile
from pathlib import Path
from typing import Any

import pytest

from service.clock import SystemClock
from service.operations.doctor.host.resources import check_descriptors, check_folders, check_limits
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"


def _settings(**values: Any) -> Settings:
    return Settings.from_keywords(issuer=OKTA, **values)


LIMITS: dict[str, tuple[dict[str, Any], Outcome, str]] = {
    "the defaults": ({}, Outcome.OK, "header 32,768 bytes"),
    "a header without room for a token": ({"max_header_size": 16_384}, Outcome.WARN, "raise max_header_size"),
    "connections that close before a load balancer's": ({"keep_alive_timeout": 60}, Outcome.WARN, "respond 502"),
}


@pytest.mark.parametrize(("values", "outcome", "words"), LIMITS.values(), ids=LIMITS)
def test_the_limits_suit_each_other(values: dict[str, Any], outcome: Outcome, words: str) -> None:
    finding = check_limits(_settings(**values))
    assert outcome is finding.outcome
    assert words in finding.line()


DESCRIPTORS: dict[str, tuple[int, int | None, Outcome, str]] = {
    "a default that follows the limit": (1024, None, Outcome.OK, "1,024, so max_connections is"),
    "enough": (1024, 900, Outcome.OK, "1,024, for 900 connections"),
    "too few": (1024, 5000, Outcome.FAIL, "LimitNOFILE="),
    "none to spare": (1024, 1020, Outcome.FAIL, "more descriptors than connections"),
    "no limit": (resource.RLIM_INFINITY, 5000, Outcome.OK, "no limit"),
}


@pytest.mark.parametrize(("limit", "wanted", "outcome", "words"), DESCRIPTORS.values(), ids=DESCRIPTORS)
def test_each_connection_needs_a_descriptor(
    limit: int, wanted: int | None, outcome: Outcome, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    finding = check_descriptors(_settings(max_connections=wanted) if wanted else _settings())
    assert outcome is finding.outcome
    assert words in finding.line()


def _folders(settings: Settings) -> dict[str, Finding]:
    return {finding.about: finding for finding in check_folders(settings, clock=SystemClock())}


def test_nothing_is_written_by_default() -> None:
    assert {} == _folders(_settings())


def test_the_deny_list_can_be_read_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deny-list.json"
    finding = _folders(_settings(deny_list_file=str(path)))["deny list file"]
    assert (Outcome.OK, f"{path}, with 0 records") == (finding.outcome, finding.found)
    path.write_text("x")
    assert Outcome.FAIL is _folders(_settings(deny_list_file=str(path)))["deny list file"].outcome
    path.unlink()
    full = os.statvfs_result([4096, 4096, 100, 0, 0, 100, 100, 100, 0, 255])
    monkeypatch.setattr(os, "statvfs", lambda _: full)
    finding = _folders(_settings(deny_list_file=str(path)))["deny list file"]
    assert (Outcome.WARN, True) == (finding.outcome, "is full" in finding.found)


def test_the_folder_of_the_metrics_is_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finding = _folders(_settings(admin_port=0))["metrics folder"]
    assert Outcome.OK is finding.outcome
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    assert str(tmp_path) in _folders(_settings(admin_port=0))["metrics folder"].found
    with monkeypatch.context() as full:
        full.setattr(os, "statvfs", lambda _: os.statvfs_result([4096, 4096, 100, 9, 9, 100, 100, 100, 0, 255]))
        finding = _folders(_settings(admin_port=0))["metrics folder"]
        assert (Outcome.WARN, True) == (finding.outcome, "less than 4 MiB are free" in finding.found)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "missing"))
    finding = _folders(_settings(admin_port=0))["metrics folder"]
    assert (Outcome.FAIL, True) == (finding.outcome, "create it" in finding.advice)
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "missing"))
    finding = _folders(_settings(admin_port=0))["metrics folder"]
    assert (Outcome.FAIL, True) == (finding.outcome, "TMPDIR" in finding.advice)
