"""Runs the commands of the page on sockets, and compares its units with the settings."""

from __future__ import annotations

import asyncio
import configparser
import doctest
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docutils.core
import docutils.nodes
import nginx
import pytest
from certificates import Authority
from programs import LOG_PIPE_SIZE, Start, curl, first_match, free_port, listening

from service.settings.program import Settings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "sockets.rst"
ISSUER = "https://dev-123456.okta.com/oauth2/default"


def _blocks(language: str) -> list[str]:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})
    return [b.astext() for b in document.findall(docutils.nodes.literal_block) if language in b["classes"]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """The folder in place of ``/run/api``, whose path is short enough for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="api") as path:
        yield Path(path)


def _exported(folder: Path) -> dict[str, str]:
    """Return the variables of the first block."""
    lines = re.findall(r"^export (\w+)=(.*)$", _blocks("sh")[0], re.MULTILINE)
    return {name: value.replace("/run/api", str(folder)) for name, value in lines}


def _check_console(number: int, folder: Path, **variables: str) -> None:
    command, expected = _blocks("console")[number].removeprefix("$ ").replace("/run/api", str(folder)).split("\n", 1)
    done = subprocess.run(
        ["bash", "-c", command],  # noqa: S607  # the command of our own page
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert doctest.OutputChecker().check_output(expected, done.stdout.strip(), doctest.ELLIPSIS), done


def test_the_unix_socket_of_the_page_is_served(start: Start, folder: Path) -> None:
    process = start(
        "service", "--issuer", ISSUER, SERVICE_ADMIN_ADDRESS=f"unix:{folder}/admin.sock", **_exported(folder)
    )
    listening(process)
    _check_console(0, folder)
    _check_console(1, folder)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


@pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
def test_nginx_reaches_the_unix_socket_of_the_page(start: Start, folder: Path) -> None:
    authority = Authority(folder)
    issued = authority.issue("localhost")
    issued.file.rename(folder / "server.pem")
    issued.key_file.rename(folder / "server.key")
    folder.chmod(0o755)  # for the workers of nginx
    process = start("service", "--issuer", ISSUER, SERVICE_UNIX_SOCKET_MODE="0666", **_exported(folder))
    listening(process)
    (server,) = _blocks("nginx")
    port = free_port()
    lines = server.replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl").replace("/run/api", str(folder))

    async def get() -> int:
        async with nginx.running(folder, port=port, http=lines):
            return curl("--cacert", str(authority.file), f"https://localhost:{port}/api/hello")[0]

    assert 200 == asyncio.run(get())
    process.send_signal(signal.SIGTERM)
    assert "GET /api/hello 200" in (err := process.communicate(timeout=30)[1])
    assert " 127.0.0.1 request_id=" in err


def test_the_certificate_is_shown_as_on_the_page(start: Start, folder: Path) -> None:
    issued = Authority(folder).issue("127.0.0.1")
    process = start(
        "service", "--port", "0", "--issuer", ISSUER, "--certfile", str(issued.file), "--keyfile", str(issued.key_file)
    )
    _check_console(2, folder, ADDRESS=listening(process).removeprefix("https://"))


def _units() -> dict[str, configparser.ConfigParser]:
    units = {}
    for text in _blocks("ini"):
        name, content = re.match(r"# /etc/systemd/system/(\S+)\n(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # it matches
        units[name] = configparser.ConfigParser(strict=False)
        units[name].optionxform = str  # type: ignore[assignment,method-assign]  # the documented way
        units[name].read_string(content)
    return units


def test_the_units_of_the_page_have_the_names_of_the_settings() -> None:
    units, fields = _units(), Settings.model_fields
    assert fields["systemd_socket"].default == units["api.socket"]["Socket"]["FileDescriptorName"]
    assert fields["admin_systemd_socket"].default == units["api-admin.socket"]["Socket"]["FileDescriptorName"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_the_units_of_the_page(folder: Path) -> None:
    for text in _blocks("ini"):
        name = text.partition("\n")[0].rpartition("/")[2]
        (folder / name).write_text(text.replace("/opt/api/bin/python", sys.executable))
    for name in _units():
        done = subprocess.run(
            ["systemd-analyze", "verify", str(folder / name)],  # noqa: S607  # the installed one
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line for line in done.stderr.splitlines() if str(folder) in line or name in line]
        assert (0, []) == (done.returncode, lines), done.stderr


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="systemd is not installed")
def test_the_program_of_systemd_starts_the_service_as_on_the_page(folder: Path, environment: dict[str, str]) -> None:
    command = _blocks("sh")[-1].replace("8080", str(port := free_port())).replace("python -m", f"{sys.executable} -m")
    process = subprocess.Popen(
        ["bash", "-c", f"exec {command}"],  # noqa: S607  # the command of our own page
        cwd=folder,
        env=environment | {"OKTA_OAUTH2_ISSUER": ISSUER},
        stderr=subprocess.PIPE,
        pipesize=LOG_PIPE_SIZE,
        text=True,
    )
    try:
        assert process.stderr is not None
        first_match(process.stderr, "(Listening on )")
        assert 200 == curl(f"http://127.0.0.1:{port}/healthz")[0]
    finally:
        process.terminate()
        process.communicate(timeout=30)
