"""The fixtures in a separate pytest run, alone and with several workers."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from fakeissuer.server.running_issuer import RunningIssuer

PROJECT_TESTS = """
import json
import urllib.request

import pytest

seen = set()


@pytest.mark.parametrize("attempt", range(6))
def test_every_test_finds_the_issuer_as_at_start(fake_issuer, fake_issuer_url, attempt):
    assert fake_issuer_url == fake_issuer.url
    assert fake_issuer.requests().count == 0
    assert fake_issuer.faults() == []
    assert abs(fake_issuer.clock.state().offset) < 1
    with urllib.request.urlopen(f"{fake_issuer.issuer_url()}/v1/keys") as answer:
        seen.add(answer.read())
    assert len(seen) == 1
    fake_issuer.fail("keys", drop=True)
    fake_issuer.clock.advance(10_000_000)
    fake_issuer.rotate()


def test_a_run_that_does_not_ask_for_it_does_not_load_it():
    pass
"""

LIGHT = """
import sys


def test_the_plugin_alone_loads_no_server():
    assert "fakeissuer.pytest_plugin" in sys.modules
    assert {"cryptography", "jwcrypto", "msgspec", "tornado"}.isdisjoint(sys.modules)
"""


def run_pytest(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_project.py").write_text(source)
    plugins = ["-p", "no:cacheprovider", "-p", "no:tornado", "-W", "error"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *arguments, str(folder)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=folder,
    )


def test_each_test_gets_a_reset_server(tmp_path: Path) -> None:
    got = run_pytest(tmp_path, PROJECT_TESTS)
    assert got.returncode == 0, got.stdout
    assert "7 passed" in got.stdout


@pytest.mark.skipif(find_spec("xdist") is None, reason="pytest-xdist is not installed")
def test_each_xdist_worker_has_its_own_server(tmp_path: Path) -> None:
    got = run_pytest(tmp_path, PROJECT_TESTS, "-n", "3")
    assert got.returncode == 0, got.stdout
    assert "7 passed" in got.stdout


def test_the_plugin_does_not_import_the_server(tmp_path: Path) -> None:
    got = run_pytest(tmp_path, LIGHT)
    assert got.returncode == 0, got.stdout


def test_several_issuers_can_run_at_once(fake_issuer: RunningIssuer) -> None:
    from fakeissuer import running  # noqa: PLC0415  # as a user's test would, in one more line

    with running() as another:
        assert another.url != fake_issuer.url
        assert another.key_set() != fake_issuer.key_set()


@pytest.mark.fake_issuer_profile("keycloak")
def test_a_marker_chooses_the_profile(fake_issuer: RunningIssuer) -> None:
    assert fake_issuer.issuer_url() == f"{fake_issuer.url}/realms/default"
