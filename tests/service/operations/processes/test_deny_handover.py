from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.shared import open_cache
from service.clock import SystemClock
from service.operations.processes import deny_handover
from service.operations.processes.deny_handover import FollowedDenyFile


def _deny_list() -> DenyList:
    clock = SystemClock()
    return DenyList(open_cache("memory://", clock=clock), clock=clock)


def _entry(value: str) -> DenyEntry:
    return DenyEntry(kind="sub", value=value, issuer=None, expires_at=SystemClock().now() + 100)


def _values(deny_list: DenyList) -> set[str]:
    return {entry.value for entry in deny_list}


async def _until(deny_list: DenyList, values: set[str]) -> None:
    async with asyncio.timeout(20):
        while _values(deny_list) != values:  # noqa: ASYNC110  # a file has no event
            await asyncio.sleep(0.01)


@pytest.mark.gen_test
async def test_entries_reach_the_workers_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deny_handover, "_INTERVAL", 0.01)
    path = tmp_path / "deny-list.json"
    old, new = _deny_list(), _deny_list()
    FollowedDenyFile(old, DenyListFile(path, clock=SystemClock()))
    reach = await old.add(_entry("first"))
    assert (False, None) == (reach.shared, reach.saved)  # the file does not outlive the program
    following = FollowedDenyFile(new, DenyListFile(path, clock=SystemClock()))
    assert {"first"} == _values(new)
    task = asyncio.create_task(following.run())
    await old.add(_entry("second"))
    await _until(new, {"first", "second"})
    await old.remove("sub", "first", None)
    await _until(new, {"second"})
    task.cancel()
    for deny_list in (old, new):
        await deny_list.close()


@pytest.mark.gen_test
async def test_a_damaged_file_leaves_the_entries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(deny_handover, "_INTERVAL", 0.01)
    path = tmp_path / "deny-list.json"
    deny_list = _deny_list()
    task = asyncio.create_task(FollowedDenyFile(deny_list, DenyListFile(path, clock=SystemClock())).run())
    await deny_list.add(_entry("first"))
    path.write_text("rubbish")
    async with asyncio.timeout(20):
        while "not read" not in caplog.text:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.01)
    assert {"first"} == _values(deny_list)
    task.cancel()
    await deny_list.close()
