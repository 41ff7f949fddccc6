"""Our programs as processes of their own, and what a person at a terminal does with them."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Callable
from typing import IO

Start = Callable[..., "subprocess.Popen[str]"]
"""Starts ``python -m`` with these arguments, and these variables beside those of the environment."""

LISTENING = r"^listening on (\S+)$"

LOG_PIPE_SIZE = 1 << 20
"""Bytes that a program can log before its test reads them; with the usual 64 KiB, a program that logs some hundred
requests waits for its test."""


def clean_environment() -> dict[str, str]:
    """Return the variables of this process, without those that would set up a program of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OKTA_", "SERVICE_", "ORG_"))}


def listening(process: subprocess.Popen[str]) -> str:
    """Return the URL that a program announces."""
    assert process.stderr is not None
    return first_match(process.stderr, LISTENING)


def first_match(lines: IO[str], pattern: str) -> str:
    """Return what the first line that matches holds in the place of the first group."""
    return first_matches(lines, pattern)[0]


def first_matches(lines: IO[str], *patterns: str) -> list[str]:
    """Return the same for each pattern, in any order of the lines: the processes of a program log by themselves."""
    seen: list[str] = []
    found: dict[str, str] = {}
    while found.keys() != set(patterns):
        line = lines.readline()
        assert line, f"no line matches {set(patterns) - found.keys()}:\n{''.join(seen)}"
        seen.append(line)
        for pattern in set(patterns) - found.keys():
            if match := re.search(pattern, line.rstrip("\n")):
                found[pattern] = match[1]
    return [found[pattern] for pattern in patterns]


def curl(*arguments: str) -> tuple[int, str]:
    """Return the status and the body that curl's own arguments bring."""
    done = subprocess.run(
        ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", *arguments],  # noqa: S607  # the user's own curl
        capture_output=True,
        text=True,
        check=True,
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
