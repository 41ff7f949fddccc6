"""Runs the runbooks of the operating guide, and compares its figures with those of the benchmarks."""

from __future__ import annotations

import contextlib
import doctest
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from failures_page import log_pattern, read_failures
from operated import ADMIN_TOKEN, Operated, eventually
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
    "requests a second": (r"about (\d+) requests a second", r"this service, quiet\n(?:     - .*\n){4}     - (\d+)"),
    "a known token": (r"about (\d+) µs of CPU", r"with access log\n     - .*\n     - (\d+)"),
    "a new token": (r"takes about (\d+) µs more", r"new token minus known token: at most \d+ µs.*\n     - (\d+)"),
    "a process": (r"takes about (\d+) MB", r"the worker alone\n     - ([\d.]+) MB"),
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


def test_each_alert_has_its_section_to_which_it_links() -> None:
    rules = (DOCS.parent / "deploy/prometheus/alerts.yml").read_text("utf-8")
    link = re.compile(r'- alert: (\w+)$.*?^ +runbook: "\S+/operating/alerts.rst#(\S+)"$', re.MULTILINE | re.DOTALL)
    section = re.compile(r"^\.\. _([\w-]+):\n\n(\w+)\n[-~]+$", re.MULTILINE)
    anchors = {title: anchor for anchor, title in section.findall((GUIDE / "alerts.rst").read_text("utf-8"))}
    assert dict(link.findall(rules)) == anchors


def test_the_alerts_of_the_failures_are_those_of_the_rules() -> None:
    rules = (DOCS.parent / "deploy/prometheus/alerts.yml").read_text("utf-8")
    named = {alert for failure in read_failures(GUIDE / "failures.rst").values() for alert in failure.alerts}
    assert {alert for alert in named if alert.isalpha()} <= set(re.findall(r"- alert: (\w+)", rules))


def _signal_table() -> list[tuple[str, list[str]]]:
    """Return the signals of the page in order, each with the lines that it causes."""
    table = next(iter(_sections("signals.rst")["Signals"].findall(docutils.nodes.table)))
    rows = list(table.findall(docutils.nodes.row))[1:]
    found = []
    for row in rows:
        signals, _, log = (cell for cell in row.children if isinstance(cell, docutils.nodes.entry))
        lines = [log_pattern(each.astext()) for each in log.findall(docutils.nodes.literal)]
        found.append((signals.astext(), lines))
    return found


def test_each_signal_of_the_page_has_its_effect(issuer: RunningIssuer, start: Start) -> None:
    service = Operated(start("service", "--issuer", issuer.issuer_url(), "--port", "0"))
    assert service.api
    for names, lines in _signal_table():
        name = re.findall(r"SIG\w+", names)[0]
        if "second" in names:
            continue
        service.process.send_signal(signal.Signals[name])
        for line in lines:
            service.wait_for(line)
    assert 0 == service.process.wait(60)


def test_a_second_signal_ends_the_service_at_once(issuer: RunningIssuer, start: Start) -> None:
    service = Operated(start("service", "--issuer", issuer.issuer_url(), "--port", "0"))
    issuer.fail("introspect", delay=60)
    issuer.fail("keys", delay=60)
    slow = threading.Thread(target=_ignore, args=(service, issuer.token()))
    slow.start()
    eventually(lambda: issuer.requests("keys").count)
    service.process.send_signal(signal.SIGTERM)
    service.wait_for("stopping")
    time.sleep(0.1)  # further signals within 50 ms count as the same one
    service.process.send_signal(signal.SIGTERM)
    (line,) = _signal_table()[-1][1]
    service.wait_for(line)
    assert 1 == service.process.wait(60)
    slow.join()


def _ignore(service: Operated, token: str) -> None:
    with contextlib.suppress(OSError, http.client.HTTPException):
        service.get(token)


@pytest.mark.parametrize("number", [0, 1])
def test_the_commands_that_send_a_signal_send_it(number: int, issuer: RunningIssuer, start: Start) -> None:
    blocks = [block for each in _sections("signals.rst").values() for block in _blocks(each, "sh")]
    commands = list(dict.fromkeys(blocks))
    assert ["kill -HUP $PID", "kill -TERM $PID"] == commands
    service = Operated(start("service", "--issuer", issuer.issuer_url(), "--port", "0"))
    assert service.api
    subprocess.run(["sh", "-ec", commands[number]], env=os.environ | {"PID": str(service.process.pid)}, check=True)  # noqa: S607  # as above
    service.wait_for(["reload finished", "stopping, waiting"][number])
