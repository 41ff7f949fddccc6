"""The alert rules: promtool accepts them, each fires as its test says, and each names what exists."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from expressions import unknown
from promtool import promtool

from service.issuers.status import PROBLEMS


@pytest.fixture(scope="session")
def rules(monitoring: Path) -> list[dict[str, Any]]:
    document = yaml.safe_load((monitoring / "prometheus" / "alerts.yml").read_text("utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


@pytest.fixture(scope="session")
def alerts(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for rule in rules if "alert" in rule]


def test_promtool_accepts_the_rules(monitoring: Path) -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", monitoring / "prometheus" / "alerts.yml")
    assert 0 == done.returncode, done.stdout + done.stderr


def test_each_alert_fires_as_its_test_says(monitoring: Path) -> None:
    done = promtool("test", "rules", monitoring / "prometheus" / "alerts_test.yml")
    assert 0 == done.returncode, done.stdout + done.stderr


def test_each_alert_has_a_test(monitoring: Path, alerts: list[dict[str, Any]]) -> None:
    tests = yaml.safe_load((monitoring / "prometheus" / "alerts_test.yml").read_text("utf-8"))["tests"]
    cases = [case for test in tests for case in test.get("alert_rule_test", [])]
    assert {alert["alert"] for alert in alerts} == {case["alertname"] for case in cases if "exp_alerts" in case}


def test_each_rule_names_metrics_and_labels_that_the_service_has(rules: list[dict[str, Any]]) -> None:
    assert [] == [name for rule in rules for name in unknown(rule["expr"])]


def test_each_problem_of_an_issuer_is_an_alert(alerts: list[dict[str, Any]]) -> None:
    found = {name for alert in alerts for name in re.findall(r"\w+", alert["expr"])}
    assert set(PROBLEMS) <= found


def test_each_alert_says_what_it_means_and_where_to_read_on(alerts: list[dict[str, Any]]) -> None:
    for alert in alerts:
        name, notes = alert["alert"], alert["annotations"]
        assert {"summary", "description", "runbook"} == notes.keys(), name
        assert alert["labels"]["severity"] in {"critical", "warning"}, name
        assert notes["runbook"].endswith(f"#{_anchor(name)}")


def test_each_runbook_exists(monitoring: Path, alerts: list[dict[str, Any]]) -> None:
    for alert in alerts:
        path, _, anchor = alert["annotations"]["runbook"].partition("#")
        page = monitoring.parent / path
        assert f".. _{anchor}:\n" in page.read_text("utf-8"), f"{page} has no section for {alert['alert']}"


def _anchor(name: str) -> str:
    return "alert-" + re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()
