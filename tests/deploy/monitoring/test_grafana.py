"""The dashboard: each panel can be drawn, from any data source, with metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from documented_metrics import documented_metrics
from expressions import families, unknown
from promtool import promtool

SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@pytest.fixture(scope="session")
def dashboard(monitoring: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((monitoring / "grafana" / "dashboard.json").read_text("utf-8"))
    return document


def _expressions(dashboard: dict[str, Any]) -> Iterator[str]:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield target["expr"]


def test_the_user_chooses_the_data_source(dashboard: dict[str, Any]) -> None:
    source, *others = dashboard["templating"]["list"]
    assert ("datasource", "datasource", "prometheus") == (source["type"], source["name"], source["query"])
    assert all(SOURCE == variable["datasource"] for variable in others)
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            assert SOURCE == panel["datasource"], panel["title"]
            assert all(SOURCE == target["datasource"] for target in panel["targets"]), panel["title"]


def test_each_panel_names_metrics_and_labels_that_the_service_has(dashboard: dict[str, Any]) -> None:
    queries = [variable["query"]["query"] for variable in dashboard["templating"]["list"] if "datasource" in variable]
    assert all(map(families, [*_expressions(dashboard), *queries]))
    assert [] == [name for expression in (*_expressions(dashboard), *queries) for name in unknown(expression)]


def test_each_metric_is_on_the_dashboard(dashboard: dict[str, Any]) -> None:
    assert documented_metrics().keys() == {name for each in _expressions(dashboard) for name in families(each)}


def test_each_expression_is_valid(dashboard: dict[str, Any], tmp_path: Path) -> None:
    rules = [
        {"record": f"panel:{number}", "expr": re.sub(r"\$__rate_interval", "5m", expression)}
        for number, expression in enumerate(_expressions(dashboard))
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}), "utf-8")
    done = promtool("check", "rules", path)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_no_panel_covers_another(dashboard: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    assert len(dashboard["panels"]) == len({panel["id"] for panel in dashboard["panels"]})
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert (x, y) not in taken, f"{panel['title']} covers {taken.get((x, y))}"
                taken[x, y] = panel["title"]
