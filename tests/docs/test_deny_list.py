"""Tests the settings and the curl commands of the page on the deny list."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
from programs import LOG_PIPE_SIZE

import fakeissuer
from service.caches import deny_records
from service.caches.deny_list import CAPACITY, KINDS

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "deny-list.rst"


def _blocks(language: str) -> list[str]:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})
    return [b.astext() for b in document.findall(docutils.nodes.literal_block) if language in b["classes"]]


def test_the_page_names_every_kind_and_limit() -> None:
    text = PAGE.read_text("utf-8")
    assert KINDS == tuple(re.findall(r"^``(\w{3})``  ", text, re.MULTILINE))
    assert f"at most {CAPACITY:,} entries" in text
    assert 600 == deny_records.CLOCK_TOLERANCE
    assert "ten minutes" in text


def test_the_curl_commands_of_the_page_deny_and_allow_a_user(tmp_path: Path) -> None:
    (block,) = _blocks("sh")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    exported = subprocess.run(
        ["sh", "-c", f"{block}\nenv"], env={"PATH": path}, capture_output=True, text=True, check=True  # noqa: S607
    ).stdout  # fmt: skip
    variables = dict(re.findall(r"^(SERVICE_\w+)=(.*)$", exported, re.MULTILINE)) | {"SERVICE_ADMIN_PORT": "0"}
    with fakeissuer.running() as issuer:
        service = subprocess.Popen(
            [sys.executable, "-m", "service", "--issuer", issuer.issuer_url(), "--port", "0"],
            env=os.environ | variables | {"PYTHONUNBUFFERED": "1"}, cwd=tmp_path, stderr=subprocess.PIPE,
            pipesize=LOG_PIPE_SIZE, text=True,
        )  # fmt: skip
        try:
            api, admin = _announced(service)
            token = issuer.token(sub="mallory@example.com")
            assert 200 == _status(f"{api}/api/whoami", token)
            environment = os.environ | variables | {"ADMIN": admin, "OKTA_OAUTH2_ISSUER": issuer.issuer_url()}
            statuses = []
            for command, expected in re.findall(r"^\$ (.*)\n(.*)$", "\n".join(_blocks("console")), re.MULTILINE):
                printed = subprocess.run(  # noqa: S602  # the commands of our own page
                    command, shell=True, env=environment, capture_output=True, text=True, check=True
                ).stdout
                assert doctest.OutputChecker().check_output(expected, printed, doctest.ELLIPSIS), printed
                statuses.append(_status(f"{api}/api/whoami", token))
            assert [401, 401, 200, 200] == statuses
            assert (tmp_path / "deny-list.json").exists()
        finally:
            service.terminate()
            service.communicate(timeout=20)


def _announced(service: subprocess.Popen[str]) -> tuple[str, str]:
    assert service.stderr is not None
    api = admin = ""
    for line in service.stderr:  # in any order, since two processes write them
        if found := re.search(r"admin port listening url=(\S+)", line):
            admin = found[1]
        if found := re.search(r"^listening on (\S+)$", line):
            api = found[1]
        if api and admin:
            return api, admin
    raise AssertionError("the service exited before it listened")


def _status(url: str, token: str) -> int:
    command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-H", f"Authorization: Bearer {token}", url]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
