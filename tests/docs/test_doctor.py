"""Tests that the commands print what the page on troubleshooting shows."""

from __future__ import annotations

import doctest
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

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "troubleshooting.rst"
ISSUER = "https://dev-123456.okta.com/oauth2/default"


def _steps() -> list[tuple[str, str]]:
    """Return each command of the page with the output that the page shows."""
    page = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 5})
    blocks = [node.astext() for node in page.findall(docutils.nodes.literal_block) if "console" in node["classes"]]
    return [step for block in blocks for step in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n?)*)", block, re.MULTILINE)]


@pytest.mark.parametrize(("command", "output"), _steps(), ids=[command for command, _ in _steps()])
def test_a_command_prints_what_the_page_shows(
    command: str, output: str, fake_issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path
) -> None:
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}",
        "OKTA_OAUTH2_ISSUER": fake_issuer.issuer_url(),
        "TOKEN": fake_issuer.token(aud="api://orders"),
    }
    done = subprocess.run(
        ["sh", "-c", command],  # noqa: S607  # the commands are for a shell
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "" == done.stderr
    expected = output.strip().replace(ISSUER, fake_issuer.issuer_url())
    assert doctest.OutputChecker().check_output(expected, done.stdout.strip(), doctest.ELLIPSIS), done.stdout


def test_the_page_has_four_commands() -> None:
    assert 4 == len(_steps())


def test_the_reasons_of_the_page_exist() -> None:
    table = PAGE.read_text("utf-8").partition("Rejection reasons")[2].partition("Tokens of an Okta")[0]
    named = set(re.findall(r"^``(\w+)`` ", table, re.MULTILINE))
    assert len(named) > 10
    assert {str(reason) for reason in Reason} >= named
