"""Tests that the tests on the pages about handlers pass as printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest

DOCS = Path(__file__).parents[2] / "docs" / "how-to"
PAGES = [
    "browsers-and-clients",
    "claims",
    "existing-app",
    "forward-auth",
    "dpop",
    "limits",
    "logging",
    "metrics",
    "mutual-tls",
    "openapi",
    "own-methods",
    "outside-a-handler",
    "protect-a-route",
    "require-a-scope",
    "settings",
    "step-up",
    "test-your-api",
    "token-sources",
    "tracing",
]


@pytest.mark.parametrize("page", PAGES)
def test_the_test_of_the_page_passes(page: str, environment: dict[str, str], tmp_path: Path) -> None:
    document = docutils.core.publish_doctree((DOCS / f"{page}.rst").read_text("utf-8"))
    for block in document.findall(docutils.nodes.literal_block):
        if "python" in block["classes"]:
            (tmp_path / block["names"][0]).write_text(block.astext())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": os.pathsep.join([str(tmp_path), environment.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_handlers_of_the_page_on_websockets_are_those_of_the_tested_example() -> None:
    document = docutils.core.publish_doctree((DOCS / "protect-a-websocket.rst").read_text("utf-8"))
    (shown,) = [
        block.astext()
        for block in document.findall(docutils.nodes.literal_block)
        if "python" in block["classes"]
    ]  # fmt: skip
    assert shown in (DOCS.parents[1] / "examples" / "prices.py").read_text("utf-8")
