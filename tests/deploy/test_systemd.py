"""The units: without a message of ``systemd-analyze``, hardened, and with settings that the service accepts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deployed_settings import load
from linters import run

from service.settings.program import Settings

MAX_EXPOSURE = 2.0


Unit = dict[str, dict[str, str]]
"""The sections of a unit; the values of a repeated key are joined by line breaks."""


def _read(path: Path) -> Unit:
    unit: Unit = {}
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("["):
            section = unit.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section[key] = f"{section[key]}\n{value}" if key in section else value
    return unit


@pytest.fixture(scope="module")
def service(deploy: Path) -> Unit:
    return _read(deploy / "systemd/resource-server.service")


@pytest.fixture(scope="module")
def listening(deploy: Path) -> Unit:
    return _read(deploy / "systemd/resource-server.socket")


def test_systemd_analyze_has_no_finding(deploy: Path, tmp_path: Path) -> None:
    for unit in (deploy / "systemd").iterdir():
        # The program is not installed here, and systemd-analyze looks for it.
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text("utf-8"), flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    done = run("systemd-analyze", "verify", *tmp_path.iterdir())
    assert (0, "") == (done.returncode, done.stdout + done.stderr)  # an unknown key is reported with exit code 0


def test_the_service_has_few_rights(deploy: Path) -> None:
    done = run("systemd-analyze", "security", "--offline=true", deploy / "systemd/resource-server.service")
    exposure = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert exposure, done.stderr
    assert float(exposure[1]) <= MAX_EXPOSURE


def test_the_service_accepts_its_settings(service: Unit, tmp_path: Path) -> None:
    pairs = dict(re.findall(r"(\S+?)=(\S+)", service["Service"]["Environment"]))
    environment = {name: value.replace("%S", str(tmp_path)) for name, value in pairs.items() if "SERVICE" in name}
    (tmp_path / "resource-server").mkdir()
    environment |= {"OKTA_OAUTH2_ISSUER": "https://dev-123456.okta.com/oauth2/default", "SERVICE_ADMIN_PORT": "9100"}
    settings = load(environment, secrets="%d/", folder=tmp_path)
    assert settings.operator_tokens
    assert str(tmp_path / "resource-server/deny-list.json") == settings.deny_list_file
    credentials = [line.partition(":")[0] for line in service["Service"]["LoadCredential"].splitlines()]
    assert [f"%d/{name}" for name in credentials] == [value for value in pairs.values() if value.startswith("%d/")]


def test_the_stop_is_not_cut_short(service: Unit) -> None:
    assert float(service["Service"]["TimeoutStopSec"]) >= Settings.model_fields["drain_timeout"].default + 10
    assert "mixed" == service["Service"]["KillMode"]


def test_wrong_settings_are_not_tried_again(service: Unit) -> None:
    assert ("on-failure", "2") == (service["Service"]["Restart"], service["Service"]["RestartPreventExitStatus"])


def test_the_sockets_are_those_of_the_service(service: Unit, listening: Unit) -> None:
    assert "resource-server.socket" == service["Unit"]["Requires"]
    assert "service" == listening["Socket"]["FileDescriptorName"]
