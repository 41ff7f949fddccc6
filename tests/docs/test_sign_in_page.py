"""The page on logins works as printed: its commands start the example, and its code is the example's."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import docutils.core
import docutils.nodes
from programs import Start, listening

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def _blocks(language: str) -> list[str]:
    document = docutils.core.publish_doctree((ROOT / "docs" / "how-to" / "sign-in-page.rst").read_text("utf-8"))
    blocks = document.findall(docutils.nodes.literal_block)
    return [block.astext() for block in blocks if language in block["classes"]]


def test_its_commands_start_the_example_and_its_curl_line_adds_a_task(
    start: Start, environment: dict[str, str]
) -> None:
    issuer_command, service_command = _blocks("sh")
    issuer = listening(start(*issuer_command.split()[2:], "--port", "0"))
    arguments = service_command.replace("http://127.0.0.1:9400", issuer).split()[2:]
    path = os.pathsep.join([str(EXAMPLES), environment.get("PYTHONPATH", "")])
    service = listening(start(*arguments, "--port", "0", PYTHONPATH=path))

    (console,) = _blocks("console")
    token, curl, shown = console.splitlines()
    script = "\n".join(line.removeprefix("$ ") for line in (token, curl))
    script = script.replace("http://127.0.0.1:8080", service).replace("curl", "curl -sS")
    script = script.replace("fakeissuer token", f"fakeissuer token --issuer {issuer}")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=True)  # noqa: S607  # the reader's own shell
    assert shown == done.stdout


def test_its_code_is_that_of_the_example() -> None:
    for block, name in zip(_blocks("python"), ["api.py", "login.py"], strict=True):
        source = (EXAMPLES / "tasks" / name).read_text("utf-8")
        assert block in source or textwrap.indent(block, "    ") in source, name
