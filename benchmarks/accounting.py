"""What a program has used, by the accounting of Linux."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its children."""
    return sum(_cpu_seconds(each) for each in process_tree(pid))


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process and its children; what they share counts for each of them."""
    return sum(resident_megabytes_by_process(pid))


def resident_megabytes_by_process(pid: int) -> list[float]:
    """Return the resident memory of a process, and of each of its children."""
    return [_resident_megabytes(each) for each in process_tree(pid)]


def process_tree(pid: int) -> Iterator[int]:
    """Yield the IDs of a process and its children."""
    yield pid
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
        yield from process_tree(int(child))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024
