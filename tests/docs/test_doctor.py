"""Tests that the commands print what the page on troubleshooting shows."""

from __future__ import annotations

import doctest
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

from fakeissuer import RunningIssuer
from service.errors import Reason
from service.operations import admin, doctor
from service.operations.admin.operators import BURST, EVERY
from service.operations.doctor.report import Finding, Outcome
from service.settings.strength import MIN_DIFFERENT, MIN_LENGTH

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"
PAGE, CHECK_PAGE, ADMIN_PAGE = (HOW_TO / f"{name}.rst" for name in ("troubleshooting", "check", "admin-port"))
ADVISORY = {
    "id": "GHSA-xxxx-xxxx-xxxx",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "tornado"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "999.0"}]}],
        }
    ],
}
ISSUER = "https://dev-123456.okta.com/oauth2/default"


def _steps() -> list[tuple[str, str]]:
    """Return each command of the pages with the output that the page shows."""
    texts = [page.read_text("utf-8") for page in (PAGE, CHECK_PAGE, ADMIN_PAGE)]
    pages = [docutils.core.publish_doctree(text, settings_overrides={"report_level": 5}) for text in texts]
    blocks = [
        node.astext()
        for page in pages
        for node in page.findall(docutils.nodes.literal_block)
        if "console" in node["classes"]
    ]
    return [step for block in blocks for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE)]


@pytest.mark.parametrize(("command", "output"), _steps(), ids=[command for command, _ in _steps()])
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url(),
        "TOKEN": fake_issuer.token(aud="api://orders"),
        "SERVICE_PORT": "0",  # the usual port may be taken
    }
    (tmp_path / "osv.json").write_text(json.dumps(ADVISORY))
    done = subprocess.run(
        ["sh", "-c", command],  # noqa: S607  # the commands are for a shell
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "" == done.stderr
    expected = output.strip().replace(ISSUER, fake_issuer.issuer_url())
    assert doctest.OutputChecker().check_output(expected, done.stdout.strip(), doctest.ELLIPSIS), done.stdout


def test_the_pages_have_seven_commands() -> None:
    assert 7 == len(_steps())


def test_the_reasons_of_the_page_exist() -> None:
    table = PAGE.read_text("utf-8").partition("Rejection reasons")[2].partition("Tokens of an Okta")[0]
    named = set(re.findall(r"^``(\w+)`` ", table, re.MULTILINE))
    assert len(named) > 10
    assert {str(reason) for reason in Reason} >= named


def test_the_page_lists_every_check() -> None:
    package = Path(str(doctor.__file__)).parent
    sources = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py") if "rules" not in path.name)
    names = re.findall(r"\b_?(?:about|ABOUT|TLS)\b(?:, \w+)* = \"([^\"{]+)\"", sources)
    names += re.findall(r"\b(?:ok|warn|fail|skipped|_request)\(\s*\"([^\"{]+)\"", sources)
    named = {Finding(outcome=Outcome.OK, about=name).identifier for name in names} | {"validator"}
    table = CHECK_PAGE.read_text("utf-8").partition("The checks\n---")[2].partition("Known vuln")[0]
    assert named == set(re.findall(r"^``(\w+)`` ", table, re.MULTILINE)) - {"id"}


def test_the_page_lists_every_reason_and_message_of_the_audit_log() -> None:
    package = Path(str(admin.__file__)).parent
    sources = "\n".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    text = ADMIN_PAGE.read_text("utf-8")
    reasons = set(re.findall(r'reason="(\w+)"', sources)) | {"no_token", "wrong_token", "method_not_allowed"}
    assert reasons == set(re.findall(r"``(\w+)``", text.partition("``reason``  ")[2].partition("\n")[0]))
    for message in re.findall(r'"((?:deny list|key sets|admin request) [a-z ]+)"', sources):
        assert f"``{message}``" in text, message
    assert f"at least {MIN_LENGTH} characters, and at least {MIN_DIFFERENT} different ones" in text
    assert (10, 2.0) == (BURST, EVERY)
