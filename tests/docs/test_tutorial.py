"""The tutorial works as printed: its programs run, its curl lines give what it shows, its tests pass."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from programs import Start, listening

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "protected-api.rst"
MARK = "-- end of step --"


def _blocks(language: str) -> list[docutils.nodes.literal_block]:
    document = docutils.core.publish_doctree(PAGE.read_text("utf-8"), settings_overrides={"report_level": 2})
    return [block for block in document.findall(docutils.nodes.literal_block) if language in block["classes"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for block in _blocks("python"):
        (tmp_path / block["names"][0]).write_text(block.astext())
    return tmp_path


def _steps() -> list[tuple[str, str]]:
    text = "\n".join(block.astext() for block in _blocks("console"))
    return re.findall(r"^\$ (.*)\n?((?:(?!\$ ).*\n?)*)", text, re.MULTILINE)


def test_its_programs_and_its_curl_lines_do_what_it_shows(
    start: Start, environment: dict[str, str], folder: Path
) -> None:
    installation, *programs = [block.astext() for block in _blocks("sh")]
    assert "pip install" in installation
    assert ["python -m fakeissuer", "python -m service --issuer"] == [
        re.match(r"python -m (fakeissuer|service --issuer)", line)[0]  # type: ignore[index]  # pytest shows the line
        for line in programs
    ]
    issuer = listening(start("fakeissuer", "--port", "0"))
    arguments = programs[1].replace("http://127.0.0.1:9400", issuer).split()[2:]
    api = listening(start(*arguments, "--port", "0", PYTHONPATH=str(folder)))

    steps = [(command, shown) for command, shown in _steps() if "pytest" not in command]
    assert 6 == len(steps)
    script = "".join(f"{command}; echo; echo '{MARK}'\n" for command, _ in steps)
    script = script.replace("http://127.0.0.1:8080", api).replace("curl", "curl -sS")
    script = script.replace("fakeissuer token", f"fakeissuer token --issuer {issuer}")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)  # noqa: S607  # the reader's own shell
    printed = [part.strip() for part in done.stdout.split(MARK)[:-1]]
    for (command, shown), output in zip(steps, printed, strict=True):
        assert doctest.OutputChecker().check_output(shown.strip(), output, doctest.ELLIPSIS), (command, output)


def test_its_tests_pass(environment: dict[str, str], folder: Path) -> None:
    (command, shown) = _steps()[-1]
    done = subprocess.run(
        [sys.executable, *command.split()[1:], "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment | {"PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    passed = re.search(r"\d+ passed", shown)
    assert passed is not None
    assert passed[0] in done.stdout, done.stdout + done.stderr
