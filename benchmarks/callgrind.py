"""Counts instructions with callgrind, a tool of valgrind."""

from __future__ import annotations

import re
from pathlib import Path


def callgrind_command(folder: Path, *options: str) -> list[str]:
    """Return the start of a command line that counts the instructions of the rest.

    Callgrind writes a file, ``c.1``, ``c.2`` and so on, at each call of ``getppid``, which nothing else calls, with the
    instructions since the last one.
    """
    return [
        "valgrind", "-q", "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={folder}/c", *options
    ]  # fmt: skip


def total_instructions(file: Path) -> int:
    """Return the instructions in a file of callgrind."""
    found = re.search(r"^totals: (\d+)$", file.read_text(), re.MULTILINE)
    assert found is not None, f"callgrind wrote no total into {file}"
    return int(found[1])
