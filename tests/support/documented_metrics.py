"""The metrics on their page of the reference, which a test compares with what the code registers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.rst"
_ROW = re.compile(r"^   \* - ``(\w+)``\n     -([^\n]*)$", re.MULTILINE)
_HISTOGRAM = "_seconds"


def documented_metrics() -> Mapping[str, frozenset[str]]:
    """Return the labels of each metric by its name, without the suffixes of a histogram."""
    rows = _ROW.findall(_PAGE.read_text("utf-8"))
    return {name: frozenset(re.findall(r"``(\w+)``", labels)) for name, labels in rows}


def family(name: str) -> str:
    """Return the name on the page of a name in an expression."""
    return re.sub(r"(?<=_seconds)_(bucket|sum|count)$", "", name)
