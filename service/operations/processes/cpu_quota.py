"""The number of processors that this process may use: its affinity, or the CPU quota of its container."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/proc/self/cgroup")
_ROOT = Path("/sys/fs/cgroup")


def usable_processors(*, cgroups: Path = _CGROUPS, root: Path = _ROOT) -> int:
    """Return the number of processors, at least 1; a quota of one and a half counts as two.

    Args:
        cgroups: The file that lists the control groups of this process.
        root: The folder where they are mounted.
    """
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [math.ceil(quota) for quota in _read_quotas(cgroups, root)]
    return max(1, min([processors, *quotas]))


def _read_quotas(cgroups: Path, root: Path) -> Iterator[float]:
    """Yield the quota of each control group that contains this process, in processors."""
    for line in _read(cgroups).splitlines():
        # "0::/path" in version 2, "4:cpu,cpuacct:/path" in version 1 (cgroups(7))
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            yield from _quotas_of_version_2(root, path)
            yield from _quotas_of_version_2(root / "unified", path)
        elif "cpu" in controllers.split(","):
            yield from _quotas_of_version_1(root / "cpu", path)
            yield from _quotas_of_version_1(root / controllers, path)


def _quotas_of_version_2(root: Path, path: str) -> Iterator[float]:
    for folder in _with_parents(root, path):
        yield from _quota(_read(folder / "cpu.max").split())


def _quotas_of_version_1(root: Path, path: str) -> Iterator[float]:
    for folder in _with_parents(root, path):
        yield from _quota([_read(folder / name).strip() for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us")])


def _with_parents(root: Path, path: str) -> Iterator[Path]:
    """Yield the folders of a control group and of its parents, whose quotas apply to it, too.

    In a container, the path may be that of the host, while the container's own group is mounted at the root.
    """
    folder = root / path.lstrip("/")
    yield folder
    while folder != root and root in folder.parents:
        folder = folder.parent
        yield folder


def _quota(words: list[str]) -> Iterator[float]:
    """Yield the processors of a quota and a period in microseconds; nothing for ``max``, -1 or other text."""
    if len(words) == 2 and all(word.isascii() and word.isdecimal() for word in words) and int(words[1]) > 0:
        yield int(words[0]) / int(words[1])


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, ValueError):
        return ""
