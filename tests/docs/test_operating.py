"""Runs the runbooks of the operating guide, and compares its figures with those of the benchmarks."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from operated import ADMIN_TOKEN, Operated
from programs import Start

import fakeissuer
from fakeissuer import RunningIssuer

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "how-to" / "operating"


def _sections(page: str) -> dict[str, docutils.nodes.section]:
    """Return the sections of a page by their titles."""
    document = docutils.core.publish_doctree(
        (GUIDE / page).read_text("utf-8"), settings_overrides={"report_level": 2, "doctitle_xform": False}
    )
    return {section[0].astext(): section for section in document.findall(docutils.nodes.section)}


def _blocks(node: docutils.nodes.Element, language: str) -> list[str]:
    return [each.astext() for each in node.findall(docutils.nodes.literal_block) if language in each["classes"]]


@pytest.fixture
def issuer() -> Iterator[RunningIssuer]:
    with fakeissuer.running() as running:
        yield running


@pytest.mark.parametrize("runbook", ["A planned rotation", "A compromised key"])
def test_the_commands_of_a_runbook_print_what_the_page_shows(runbook: str, issuer: RunningIssuer, start: Start) -> None:
    variables = {"SERVICE_ADMIN_TOKEN": ADMIN_TOKEN}
    service = Operated(
        start("service", "--issuer", issuer.issuer_url(), "--port", "0", "--admin-port", "0", **variables)
    )
    minted = issuer.mint()
    assert 200 == service.get(minted.token).status
    environment = os.environ | variables | {
        "ISSUER": issuer.issuer_url(), "FAKE": issuer.url, "ADMIN": service.admin, "API": service.api,
        "TOKEN": minted.token, "KID": str(minted.header["kid"]),
    }  # fmt: skip
    steps = [
        step
        for block in _blocks(_sections("keys.rst")[runbook], "console")
        for step in re.findall(r"^\$ (.*)\n(.*)$", block, re.MULTILINE)
    ]
    assert len(steps) >= 4
    for command, expected in steps:
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=True)  # noqa: S607  # the commands of our own page
        assert doctest.OutputChecker().check_output(expected, done.stdout.strip(), doctest.ELLIPSIS), (command, done)
    assert 200 == service.get(issuer.token()).status


def test_the_commands_of_the_upgrade_accept_the_settings(
    issuer: RunningIssuer, environment: dict[str, str], tmp_path: Path
) -> None:
    blocks = [block for each in _sections("upgrade.rst").values() for block in _blocks(each, "sh")]
    variables = {"NEW": sys.prefix, "OLD": sys.prefix, "OKTA_OAUTH2_ISSUER": issuer.issuer_url()}
    assert len(set(blocks)) == 2
    for block in set(blocks):
        done = subprocess.run(
            ["sh", "-ec", block], env=environment | variables, cwd=tmp_path, capture_output=True, text=True, check=False  # noqa: S607  # as above
        )  # fmt: skip
        assert 0 == done.returncode, done.stdout + done.stderr


# What the page says, and where the benchmarks say it.
FIGURES = {
    "requests a second": (r"about (\d+) requests a second", r"this service, quiet\n(?:     - .*\n){3}     - (\d+)"),
    "a known token": (r"about (\d+) µs of CPU", r"with access log\n     - .*\n     - (\d+)"),
    "a new token": (r"takes about (\d+) µs more", r"new token minus known token: at most 64.*\n     - (\d+)"),
    "a process": (r"takes about (\d+) MB", r"service: resident then\n     - ([\d.]+) MB"),
    "cached tokens": (r"add (\d+) MB", r"([\d.]+) MB more memory"),
    "a WebSocket": (r"takes about (\d+) KB", r"and (\d+) MB at 5000 WebSockets"),
}


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_is_near_that_of_the_benchmarks(figure: str) -> None:
    in_guide, in_benchmarks = FIGURES[figure]
    stated = re.search(in_guide, (GUIDE / "sizing.rst").read_text("utf-8"))
    measured = re.search(in_benchmarks, (DOCS / "benchmarks.rst").read_text("utf-8"))
    assert stated
    assert measured
    value = float(measured[1]) * (1000 / 5000 if figure == "a WebSocket" else 1)
    assert value / 2 < float(stated[1]) < value * 2
