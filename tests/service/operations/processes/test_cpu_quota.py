from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.operations.processes.cpu_quota import usable_processors


@pytest.fixture(autouse=True)
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)


QUOTA, PERIOD = "cpu.cfs_quota_us", "cpu.cfs_period_us"
V1 = "4:cpu,cpuacct:{path}\n3:cpuset:/elsewhere\n1:name=systemd:/x\n"


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "max 100000"}, 64),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000"}, 2),
        ("0::/\n", {"cpu.max": "10000 100000"}, 1),
        ("0::/\n", {"cpu.max": "300000"}, 64),
        ("0::/\n", {"cpu.max": "300000 0"}, 64),
        ("0::/\n", {"cpu.max": "\N{SUPERSCRIPT TWO}"}, 64),
        ("0::/\n", {}, 64),
        ("", {"cpu.max": "200000 100000"}, 64),
        ("0::/pods/one\n", {"pods/one/cpu.max": "400000 100000", "pods/cpu.max": "max 100000"}, 4),
        ("0::/pods/one\n", {"pods/one/cpu.max": "max 100000", "pods/cpu.max": "300000 100000"}, 3),
        ("0::/pods/one\n", {"pods/one/cpu.max": "800000 100000", "pods/cpu.max": "300000 100000"}, 3),
        ("0::/of/the/host\n", {"cpu.max": "500000 100000"}, 5),
        ("0::/../sibling\n", {"cpu.max": "500000 100000"}, 5),
        ("0::/\n", {"unified/cpu.max": "200000 100000"}, 2),
        (V1.format(path="/"), {"cpu/cpu.cfs_quota_us": "250000", "cpu/cpu.cfs_period_us": "100000"}, 3),
        (V1.format(path="/"), {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        (V1.format(path="/a"), {f"cpu,cpuacct/a/{QUOTA}": "70000", f"cpu,cpuacct/a/{PERIOD}": "50000"}, 2),
        (V1.format(path="/a"), {"cpu,cpuacct/cpu.cfs_quota_us": "70000", "cpu,cpuacct/cpu.cfs_period_us": "10000"}, 7),
    ],
)  # fmt: skip
def test_the_quota_of_the_container_and_of_its_parents_counts(
    cgroup: str, files: dict[str, str], expected: int, tmp_path: Path
) -> None:
    root = tmp_path / "cgroup"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "self").write_text(cgroup)
    assert expected == usable_processors(cgroups=tmp_path / "self", root=root)


def test_fewer_processors_than_the_quota_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert 3 == usable_processors(cgroups=tmp_path / "none", root=tmp_path)


def test_a_system_without_affinity_has_at_least_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_processors() >= 1
