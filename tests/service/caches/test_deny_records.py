from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.caches import deny_records
from service.caches.deny_records import DenyRecord, DenyRecords, digest
from service.clock import ManualClock


def _in_force(records: DenyRecords) -> set[str]:
    return {record.value for record in records.in_force()}


def _record(clock: ManualClock, value: str = "one", *, seconds: float = 60) -> DenyRecord:
    return DenyRecords(clock=clock).new(("jti", value, None), expires_at=clock.now() + seconds)


@given(data=st.data(), seconds=st.lists(st.integers(1, 10_000), min_size=1, max_size=6))
def test_any_order_of_merges_has_the_same_result(data: st.DataObject, seconds: list[int]) -> None:
    clock = ManualClock()
    source = DenyRecords(clock=clock)
    history = []
    for number, each in enumerate(seconds):
        history += source.merge([_record(clock, str(number), seconds=each)])
    for number in data.draw(st.sets(st.integers(0, len(seconds) - 1))):
        history += source.remove(("jti", str(number), None))
    other = DenyRecords(clock=clock)
    for record in data.draw(st.permutations(history + history)):
        other.merge([record])
    assert {record.tag: record for record in source} == {record.tag: record for record in other}
    assert _in_force(source) == _in_force(other)


@pytest.mark.parametrize("difference", [-90.0, 0.0, 90.0, 590.0])
def test_an_entry_lasts_its_time_whatever_the_difference_between_the_clocks(difference: float) -> None:
    here, there = ManualClock(), ManualClock()
    there.advance(1000)
    there._now = here.now() + difference
    receiving = DenyRecords(clock=there)
    receiving.merge([_record(here, seconds=60)])
    there.advance(59)
    assert {"one"} == _in_force(receiving)
    there.advance(1)
    assert set() == _in_force(receiving)


def test_an_entry_that_has_ended_everywhere_is_forgotten_and_not_read_again() -> None:
    clock = ManualClock()
    records, record = DenyRecords(clock=clock), _record(clock, seconds=60)
    assert [record] == records.merge([record])
    clock.advance(61)
    assert frozenset() == records.prune()
    assert [] == records.merge([record])  # from a process whose clock is behind
    assert set() == _in_force(records)
    clock.advance(deny_records.CLOCK_TOLERANCE)
    assert {record.shard} == records.prune()
    assert [] == records.merge([record])
    assert (0, frozenset()) == (len(records), records.shards())
    assert {} == records.ends


def test_only_the_records_that_have_ended_are_forgotten() -> None:
    clock = ManualClock()
    records = DenyRecords(clock=clock)
    for number in range(600):  # more than there are parts
        records.merge([_record(clock, str(number), seconds=60 if number % 2 else 10_000)])
    clock.advance(1000)
    records.prune()
    assert {str(number) for number in range(0, 600, 2)} == _in_force(records)
    assert 300 == len(records) == len(records.ends)


def test_a_jump_of_the_wall_clock_ends_no_entry() -> None:
    clock = ManualClock()
    records = DenyRecords(clock=clock)
    records.merge([_record(clock, seconds=60)])
    clock._now += 7 * 24 * 3600
    records.prune()
    assert {"one"} == _in_force(records)


def test_an_entry_that_is_added_again_survives_the_removal_of_the_first() -> None:
    clock = ManualClock()
    here, there = DenyRecords(clock=clock), DenyRecords(clock=clock)
    first = here.merge([_record(clock)])
    there.merge(first)
    removed = there.remove(("jti", "one", None))
    again = here.merge([_record(clock)])
    here.merge(removed)
    there.merge(again)
    assert {"one"} == _in_force(here) == _in_force(there)
    assert "" == removed[0].value  # a user who is not denied any more is not stored


def test_a_digest_differs_after_a_removal() -> None:
    clock = ManualClock()
    records = DenyRecords(clock=clock)
    (record,) = records.merge([_record(clock)])
    before = digest(records.shard(record.shard))
    records.remove(("jti", "one", None))
    assert len({"", before, digest({}) or "-", digest(records.shard(record.shard))}) == 4


TAG = "0123456789abcdef01234567"


@pytest.mark.parametrize(
    "document",
    [
        None, {}, [], "text", [TAG], ["no tag", "jti", "x", None, 1, 1, False], [TAG, "jti", 7, None, 1, 1, False],
        [TAG, "jti", "x", 7, 1, 1, False], [TAG, "jti", "x", None, "1", 1, False], [TAG, "jti", "x", None, 1, 1, 0],
        [TAG, "jti", "x", None, float("nan"), 1, False], [TAG, "jti", "x", None, 1, float("inf"), False],
    ],
)  # fmt: skip
def test_a_malformed_record_is_ignored(document: Any) -> None:
    assert DenyRecord.read(document) is None
    assert {} == DenyRecord.read_all(document)
    assert {} == DenyRecord.read_all([document])


def test_a_record_can_be_written_and_read_back() -> None:
    record = _record(ManualClock())
    assert record == DenyRecord.read(record.to_json())
