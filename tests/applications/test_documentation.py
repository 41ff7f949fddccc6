"""The lines on the page about existing applications are those that the tests run."""

from __future__ import annotations

import ast
import re
import textwrap
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "existing-app.rst"
LINES = {
    name: textwrap.dedent(code).strip().splitlines()
    for name, code in re.findall(
        r"code-block:: python\n +:name: protect_(\w+)\.py\n\n((?: {10}.*\n)+)", PAGE.read_text("utf-8")
    )
}


def test_each_application_is_on_the_page() -> None:
    assert {"bokeh", "flower", "jupyter_server", "luigi", "sockjs", "thumbor"} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_at_most_five_lines_protect_an_application(name: str) -> None:
    source = (Path(__file__).parent / f"test_{name}.py").read_text("utf-8")
    (function,) = [
        node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == "make_protected"
    ]
    run = source.splitlines()[function.body[0].lineno - 1 : function.body[-1].lineno - 1]
    assert textwrap.dedent("\n".join(run)).splitlines() == LINES[name]
    assert len(LINES[name]) <= 5
