"""Tests the settings, the nginx lines and the curl commands of the page on client certificates."""

from __future__ import annotations

import asyncio
import doctest
import os
import re
import shutil
import subprocess
from pathlib import Path

import docutils.core
import docutils.nodes
import nginx
import pytest
from certificates import Authority
from programs import Start, free_port, listening

import fakeissuer

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "mutual-tls.rst"


def _blocks(language: str) -> list[str]:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})
    return [b.astext() for b in document.findall(docutils.nodes.literal_block) if language in b["classes"]]


def _print_each(issuer: str, api: str, folder: Path) -> None:
    """Run the console of the page in one shell, and compare what each command prints."""
    (console,) = _blocks("console")
    steps = re.findall(r"^\$ (.*)\n(.*)$", console, re.MULTILINE)
    script = "\n".join(command for command, _ in steps)
    environment = os.environ | {"ISSUER": issuer, "API": api}
    done = subprocess.run(
        ["bash", "-c", script],  # noqa: S607  # the commands of our own page
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert len(steps) == len(lines), done.stdout + done.stderr
    for (command, expected), printed in zip(steps, lines, strict=True):
        assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), (command, printed)


@pytest.fixture
def certificates(tmp_path: Path) -> Authority:
    authority = Authority(tmp_path)
    shutil.copy(authority.file, tmp_path / "clients-ca.pem")
    for name, host in (("server", "localhost"), ("client", "client.example")):
        issued = authority.issue(host)
        issued.file.rename(tmp_path / f"{name}.pem")
        issued.key_file.rename(tmp_path / f"{name}.key")
    return authority


@pytest.mark.parametrize("place", ["service", "nginx"])
@pytest.mark.gen_test
async def test_the_curl_commands_of_the_page_use_a_bound_token(
    place: str, start: Start, certificates: Authority, tmp_path: Path
) -> None:
    command, variables = _blocks("sh")
    async with fakeissuer.running() as issuer:
        common = ("--issuer", issuer.issuer_url(), "--port", "0")
        if place == "service":
            arguments = command.removeprefix("python -m ").split()
            service = await asyncio.to_thread(listening, start(*arguments, *common))
            api = service.replace("127.0.0.1", "localhost")
            await asyncio.to_thread(_print_each, issuer.url, api, certificates.folder)
            return
        if shutil.which("nginx") is None:
            pytest.skip("nginx is not installed; Debian has it")
        environment = dict(re.findall(r"^export (\w+)=(.*)$", variables, re.MULTILINE))
        service = await asyncio.to_thread(listening, start("service", *common, **environment))
        port = free_port()
        (lines,) = _blocks("nginx")
        http = lines.replace("listen 443", f"listen 127.0.0.1:{port}").replace("http://127.0.0.1:8080", service)
        async with nginx.running(tmp_path, port=port, http=http):
            await asyncio.to_thread(_print_each, issuer.url, f"https://localhost:{port}", certificates.folder)
