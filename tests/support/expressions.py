"""The metrics and labels that an expression of Prometheus names, compared with those of the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator

from documented_metrics import documented_metrics, family

_SELECTOR = re.compile(r"\b((?:resource_server|http_server|http_client)_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPING = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
_ADDED = frozenset({"job", "instance", "le"})
"""The labels that Prometheus adds to each series, and the one of the buckets of a histogram."""


def families(expression: str) -> set[str]:
    """Return the names of the metrics in an expression, as they are on their page."""
    return {family(name) for name, _ in _SELECTOR.findall(expression)}


def unknown(expression: str) -> list[str]:
    """Return what an expression names and the service does not have."""
    return [*_unknown(expression)]


def _unknown(expression: str) -> Iterator[str]:
    known = documented_metrics()
    named = families(expression)
    yield from sorted(named - known.keys())
    labels = {label for _, matchers in _SELECTOR.findall(expression) for label in _LABEL.findall(matchers)}
    labels |= {label.strip() for group in _GROUPING.findall(expression) for label in group.split(",")}
    yield from sorted(labels - _ADDED - frozenset().union(*(known.get(name, frozenset()) for name in named)))
