"""The failures of the operating guide, parsed from its page: one section each, with a field list."""

from __future__ import annotations

import operator
import re
import time
from dataclasses import dataclass
from pathlib import Path

import docutils.core
import docutils.nodes

FIELDS = ["Clients", "Log", "Metric", "Alert", "First action"]
_COMPARISONS = {">": operator.gt, "==": operator.eq, "<": operator.lt}


@dataclass(frozen=True)
class Expression:
    """A comparison of a metric with a number, in the notation of Prometheus."""

    name: str
    labels: dict[str, str]
    comparison: str
    number: float

    @classmethod
    def parse(cls, text: str) -> Expression:
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (>|==|<) ([\d.]+|time\(\))", text)
        assert found, f'{text} is not: name{{label="value"}} > number'
        labels = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
        return cls(found[1], labels, found[3], time.time() if found[4] == "time()" else float(found[4]))

    def holds(self, value: float) -> bool:
        return bool(_COMPARISONS[self.comparison](value, self.number))


@dataclass(frozen=True)
class Failure:
    """One failure as the page describes it."""

    statuses: set[int]
    log: list[str]
    """Regular expressions of lines in the text format; in the page, ``…`` stands for any text."""
    metrics: list[Expression]
    alerts: list[str]


def read_failures(page: Path) -> dict[str, Failure]:
    """Return the failures by their titles, in the order of the page."""
    document = docutils.core.publish_doctree(page.read_text("utf-8"), settings_overrides={"report_level": 2})
    return dict(_read_section(section) for section in document.findall(docutils.nodes.section) if _fields(section))


def _read_section(section: docutils.nodes.section) -> tuple[str, Failure]:
    fields = _fields(section)
    title = section[0].astext()
    assert list(fields) == FIELDS, title
    return title, Failure(
        statuses={int(each) for each in _literals(fields["Clients"]) if each.isdecimal()},
        log=[log_pattern(line) for line in _literals(fields["Log"])],
        metrics=[Expression.parse(text) for text in _literals(fields["Metric"])],
        alerts=_literals(fields["Alert"]),
    )


def _fields(section: docutils.nodes.section) -> dict[str, docutils.nodes.Element]:
    lists = [node for node in section.children if isinstance(node, docutils.nodes.field_list)]
    found = [field for each in lists for field in each.findall(docutils.nodes.field)]
    return {field[0].astext(): next(iter(field.findall(docutils.nodes.field_body))) for field in found}


def _literals(node: docutils.nodes.Element) -> list[str]:
    return [each.astext() for each in node.findall(docutils.nodes.literal)]


def log_pattern(line: str) -> str:
    """Return the regular expression for a line such as ``WARNING event name=… name=value``."""
    level, _, rest = line.partition(" ")
    return rf" {level} +\S+: " + ".*".join(re.escape(part) for part in rest.split("…"))
