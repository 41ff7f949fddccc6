from __future__ import annotations

import asyncio
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from service.caches.deny_file import DenyListFile
from service.caches.deny_records import DenyRecord, DenyRecords
from service.clock import ManualClock
from service.errors import SettingsError

CLOCK = ManualClock()


def _record(value: str = "mallory") -> DenyRecord:
    clock = CLOCK
    return DenyRecords(clock=clock).new(("sub", value, None), expires_at=clock.now() + 60)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deny-list.json"


@pytest.mark.gen_test
async def test_records_are_written_and_read_back(path: Path) -> None:
    assert [] == DenyListFile(path, clock=CLOCK).read()
    records = [_record(), _record("\N{SNOWMAN}")]
    file = DenyListFile(path, clock=CLOCK)
    assert await file.write(records)
    assert records == DenyListFile(path, clock=CLOCK).read()
    await file.close()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)  # noqa: ASYNC240  # nothing else runs in this test
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 2, "records": []}', '{"format": 1, "records": [7]}'])
def test_a_damaged_file_stops_the_start_instead_of_starting_with_an_empty_list(content: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"deny_list_file: .*delete it"):
        DenyListFile(path, clock=CLOCK).read()


def test_a_file_that_cannot_be_read_stops_the_start(path: Path) -> None:
    path.mkdir()
    with pytest.raises(SettingsError, match="Is a directory"):
        DenyListFile(path, clock=CLOCK).read()


def test_a_folder_that_does_not_exist_stops_the_start(path: Path) -> None:
    with pytest.raises(SettingsError, match="its folder does not exist"):
        DenyListFile(path / "below.json", clock=CLOCK)


@pytest.mark.gen_test
async def test_a_failed_write_leaves_the_old_file_and_is_logged(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    file = DenyListFile(path, clock=CLOCK)
    await file.write([_record()])

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    assert not await file.write([])
    assert 1 == len(file.read())
    assert [path] == list(path.parent.iterdir())
    assert ["deny list not saved: path=%s error=No space left on device" % path] == caplog.messages  # noqa: UP031  # as logged


@pytest.mark.gen_test
async def test_writes_run_in_a_thread_one_after_the_other_and_the_last_wins(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, records = DenyListFile(path, clock=CLOCK), [_record()]
    threads = set()
    merge = file._merge

    def recording(written: tuple[DenyRecord, ...]) -> None:
        threads.add(threading.current_thread())
        merge(written)

    monkeypatch.setattr(file, "_merge", recording)
    first = asyncio.ensure_future(file.write(records))
    await asyncio.sleep(0)
    records.append(_record("bob"))
    second = asyncio.ensure_future(file.write(records))
    await asyncio.gather(first, second)
    assert threading.main_thread() not in threads
    assert 2 == len(file.read())


@pytest.mark.gen_test
async def test_a_write_keeps_the_records_of_other_processes_and_their_removals(path: Path) -> None:
    here, there = (DenyListFile(path, clock=CLOCK) for _ in range(2))
    mine, other = _record("alice"), _record("bob")
    removed = replace(mine, value="", removed=True)
    await here.write([mine])
    await asyncio.gather(here.write([removed]), there.write([mine, other]))
    assert {removed, other} == set(here.read())


@pytest.mark.gen_test
async def test_a_write_drops_the_records_that_have_ended(path: Path) -> None:
    clock = ManualClock(CLOCK.now())
    file = DenyListFile(path, clock=clock)
    await file.write([_record("alice")])
    clock.advance(10_000)
    await file.write([])
    assert [] == file.read()


@pytest.mark.gen_test
async def test_a_file_that_was_damaged_since_the_start_is_replaced(path: Path) -> None:
    file = DenyListFile(path, clock=CLOCK)
    path.write_text("{")  # noqa: ASYNC240  # nothing else runs in this test
    assert await file.write([_record()])
    assert 1 == len(file.read())
