"""Tests that the code blocks of the page on the fake issuer run, and that the page names everything public."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import docutils.core
import docutils.nodes
import pytest
from programs import LOG_PIPE_SIZE

from fakeissuer.control.handlers import CONTROL_ROUTES
from fakeissuer.control.mint_request import MintRequest
from fakeissuer.control.unusual_keys import UNUSUAL_KEYS
from fakeissuer.model.endpoints import ENDPOINT_NAMES
from fakeissuer.server.config_file import configure, read_config
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.faults import KINDS
from fakeissuer.state.seed import seed

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "fakeissuer.rst"
TEXT = PAGE.read_text("utf-8")


def blocks(language: str) -> list[str]:
    settings = {"halt_level": 2, "report_level": 2, "file_insertion_enabled": False}
    document = docutils.core.publish_doctree(TEXT, source_path=str(PAGE), settings_overrides=settings)
    return [node.astext() for node in document.findall(docutils.nodes.literal_block) if language in node["classes"]]


def run(*command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=folder)


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.split("\n", 1)[0])
def test_each_python_block_runs(tmp_path: Path, block: str) -> None:
    file = tmp_path / "test_block.py"
    file.write_text(block)
    command = ["-m", "pytest", "-q", "-p", "no:tornado"] if "def test_" in block else []
    got = run(sys.executable, "-W", "error", *command, str(file), folder=tmp_path)
    assert got.returncode == 0, got.stdout + got.stderr


def test_the_toml_block_is_a_configuration_file(tmp_path: Path) -> None:
    (block,) = blocks("toml")
    file = tmp_path / "issuer.toml"
    file.write_text(block)
    configure(seed("http://127.0.0.1:9400"), read_config(file))


def test_the_shell_block_starts_the_issuer() -> None:
    (block,) = blocks("sh")
    python, *arguments = block.split()
    assert python == "python"
    with subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pipesize=LOG_PIPE_SIZE,
        text=True,
        env=dict(os.environ),
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("listening on ")
        process.terminate()
        assert process.wait(20) == 0
        process.stderr.read()


def test_the_page_names_every_endpoint_fault_key_and_method() -> None:
    named = set(re.findall(r"``([^`]+)``", TEXT))
    words = {word for text in named for word in re.findall(r"[\w-]+", text)}
    expected = {*ENDPOINT_NAMES, *KINDS, *UNUSUAL_KEYS, *MintRequest.__struct_fields__}
    expected |= {name for name in vars(RunningIssuer) if not name.startswith("_")}
    assert expected - words == set()


def test_the_page_names_every_call_of_the_control_plane() -> None:
    for path, _ in CONTROL_ROUTES:
        last = re.sub(r"\(.*|/\?|\.\*", "", path).rstrip("/").rpartition("/")[2]
        assert f"/{last}" in TEXT


def test_the_page_names_every_option(tmp_path: Path) -> None:
    options = re.findall(r"--[a-z-]+", run(sys.executable, "-m", "fakeissuer", "--help", folder=tmp_path).stdout)
    assert {option for option in options if f"``{option}" not in TEXT} <= {"--help", "--version"}
