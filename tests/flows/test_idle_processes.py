"""What the processes of the program do while no request arrives."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import Start, listening

OKTA = "https://dev-123456.okta.com/oauth2/default"


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
        yield from _tree(int(child))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("processes", ["1", "2", "3"])
def test_a_program_without_requests_uses_no_cpu_time(start: Start, processes: str) -> None:
    """The parent did not read that a second worker served, and so had something to read for ever: it used a core."""
    process = start("service", "--processes", processes, "--port", "0", "--issuer", OKTA)
    listening(process)
    end = time.monotonic() + 30
    used = 1.0
    while used > 0.05 and time.monotonic() < end:
        before = {pid: _cpu_seconds(pid) for pid in _tree(process.pid)}
        time.sleep(0.5)
        used = sum(_cpu_seconds(pid) - seconds for pid, seconds in before.items())
    assert used <= 0.05
