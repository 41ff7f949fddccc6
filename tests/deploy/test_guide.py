"""The commands of the page on deploying, with the programs that they name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from linters import run

ROOT = Path(__file__).parents[2]


def _blocks(language: str) -> list[str]:
    page = (ROOT / "docs/how-to/operating/deploying.rst").read_text("utf-8")
    document = docutils.core.publish_doctree(page, settings_overrides={"report_level": 2})
    return [each.astext() for each in document.findall(docutils.nodes.literal_block) if language in each["classes"]]


@pytest.mark.parametrize("block", _blocks("sh"))
def test_a_command_of_the_page_succeeds(block: str, tmp_path: Path) -> None:
    program = block.split(maxsplit=1)[0]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if shutil.which(program, path=path) is None:
        pytest.skip(f"{program} is not installed")
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy")
    unit = tmp_path / "deploy/systemd/resource-server.service"
    # As after the installation.
    unit.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE))
    done = subprocess.run(
        ["sh", "-ec", block],  # noqa: S607  # the commands of our own page
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)


def test_the_image_of_the_page_has_no_finding(tmp_path: Path) -> None:
    (block,) = _blocks("dockerfile")
    (tmp_path / "Containerfile").write_text(block + "\n")
    done = run("hadolint", tmp_path / "Containerfile")
    assert (0, "") == (done.returncode, done.stdout)
