"""The image: linted, and its rules tried with the installed service, since no test can fetch a base image."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from linters import run
from operated import ADMIN_TOKEN
from plain_http import send
from programs import LOG_PIPE_SIZE, first_match, free_port

import fakeissuer
from service.settings.names import environment_names
from service.settings.program import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def instructions(deploy: Path) -> list[str]:
    """The instructions of the Containerfile, each in one line."""
    text = re.sub(r"^\s*#.*\n", "", (deploy / "Containerfile").read_text("utf-8"), flags=re.MULTILINE)
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_the_containerfile_has_no_finding(deploy: Path) -> None:
    done = run("hadolint", deploy / "Containerfile")
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


def test_the_last_stage_runs_as_a_number(instructions: list[str]) -> None:
    last_stage = max(number for number, line in enumerate(instructions) if line.startswith("FROM "))
    users = [line.split()[1] for line in instructions[last_stage:] if line.startswith("USER ")]
    assert users
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])


def test_commands_are_in_exec_form_so_that_signals_reach_the_service(instructions: list[str]) -> None:
    for name in ("CMD", "HEALTHCHECK"):
        (line,) = [line for line in instructions if line.startswith(f"{name} ")]
        assert re.search(r"(CMD|^HEALTHCHECK.* CMD) \[.*\]$", line)


def test_only_named_files_get_into_the_image(instructions: list[str]) -> None:
    copied = {path for line in instructions if line.startswith("COPY ") for path in line.split()[1:-1]}
    assert {"service", "fakeissuer", "LICENSE", "README.rst", "pyproject.toml", "setup.py"} == {
        path for path in copied if not path.startswith(("--from=", "/opt/"))
    }


def test_the_variables_of_the_image_are_settings_or_those_of_the_interpreter(instructions: list[str]) -> None:
    known = {name for item in Settings.model_fields.items() for name in environment_names(*item)}
    named = {name for line in instructions if line.startswith("ENV ") for name in re.findall(r"(\w+)=", line)}
    assert {"PATH", "PYTHONDONTWRITEBYTECODE", "MALLOC_ARENA_MAX"} == named - known


@pytest.fixture
def contained(tmp_path: Path) -> Iterator[tuple[str, str, fakeissuer.RunningIssuer]]:
    """Run two processes as the container does, and yield the URLs of API and admin port, and the issuer.

    The root is read-only and /tmp is empty, the user is 65532 without capabilities; only the network is shared.
    """
    if (program := shutil.which("bwrap")) is None:
        pytest.skip("bwrap is not installed; Debian has it in bubblewrap")
    (tmp_path / "cache-secret").write_text("0123456789abcdef" * 4)
    (tmp_path / "admin-token").write_text(ADMIN_TOKEN)
    with servers.running("redis") as redis, fakeissuer.running() as issuer:
        port, admin_port = free_port(), free_port()
        variables = {
            "PATH": str(Path(sys.executable).parent), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": ":".join(sys.path),
            "OKTA_OAUTH2_ISSUER": issuer.issuer_url(), "SERVICE_PORT": str(port), "SERVICE_ADDRESS": "0.0.0.0",
            "SERVICE_ADMIN_PORT": str(admin_port), "SERVICE_ADMIN_ADDRESS": "0.0.0.0", "SERVICE_PROCESSES": "2",
            "SERVICE_CACHE_URL": redis.url, "SERVICE_CACHE_SECRET_FILE": "/run/secrets/cache-secret",
            "SERVICE_ADMIN_TOKEN_FILE": "/run/secrets/admin-token",
        }  # fmt: skip
        process = subprocess.Popen(
            [program, "--unshare-user", "--uid", "65532", "--gid", "65532", "--cap-drop", "ALL", "--die-with-parent",
             "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
             "--tmpfs", tempfile.gettempdir(), "--tmpfs", "/run",
             # This environment, in case it is below one of them.
             "--ro-bind", sys.prefix, sys.prefix, "--ro-bind", str(ROOT), str(ROOT),
             "--ro-bind", str(tmp_path), "/run/secrets", "--clearenv",
             *(word for name, value in variables.items() for word in ("--setenv", name, value)),
             "--chdir", "/", sys.executable, "-m", "service"],
            stderr=subprocess.PIPE, pipesize=LOG_PIPE_SIZE, text=True,
        )  # fmt: skip
        try:
            assert process.stderr is not None
            first_match(process.stderr, r"^listening on (\S+)$")
            yield f"http://127.0.0.1:{port}", f"http://127.0.0.1:{admin_port}", issuer
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_the_service_serves_with_metrics_as_an_unprivileged_user_with_a_read_only_root(
    contained: tuple[str, str, fakeissuer.RunningIssuer],
) -> None:
    api, admin, issuer = contained
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    assert 200 == send(f"{api}/api/whoami", headers=headers).status
    assert 200 == send(f"{api}/readyz").status
    deny = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    assert 201 == send(f"{admin}/deny-list", "POST", body=b'{"jti": "one"}', headers=deny).status
    assert re.search(rb"_total\{.*\} [1-9]", send(f"{admin}/metrics").body)
