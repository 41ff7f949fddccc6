from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiocache import SimpleMemoryCache
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from service.caches import deny_replica
from service.caches.authentication import ValueAuthenticator
from service.caches.deny_records import DenyRecords
from service.caches.deny_replica import DenyReplica
from service.caches.shared import SharedCache
from service.clock import ManualClock


class Process:
    """One process with its own memory and clock, which shares a server with the others."""

    def __init__(self, server: SimpleMemoryCache, *, ahead: float = 0.0) -> None:
        self.clock = ManualClock(1_700_000_000.0 + ahead)
        self.cache = SharedCache(server, authenticator=ValueAuthenticator(b"key"), clock=self.clock)
        self.records = DenyRecords(clock=self.clock)
        self.replica = DenyReplica(self.records, self.cache)

    def add(self, value: str, *, seconds: float = 100_000) -> str:
        end = self.clock.now() + seconds
        (record,) = self.records.merge([self.records.new(("sub", value, None), expires_at=end)])
        self.replica.touch([record.shard])
        return record.tag

    def remove(self, value: str) -> set[str]:
        removed = self.records.remove(("sub", value, None))
        self.replica.touch([record.shard for record in removed])
        return {record.tag for record in removed}

    def denied(self, *, seconds: float = 0.0) -> set[str]:
        """Return the tags of the entries that are in force for at least so many seconds."""
        return {record.tag for record in self.records.in_force(seconds=seconds)}


VALUES = st.sampled_from(["alice", "bob", "mallory"])
PROCESSES = st.integers(0, 2)


class Replication(RuleBasedStateMachine):
    """Three processes whose clocks differ, and a server that loses and repeats values."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.server = SimpleMemoryCache()
        self.elapsed = 0.0
        self.processes = [self.start(number) for number in range(3)]
        self.old: dict[str, Any] = {}
        self.removed: set[str] = set()

    def start(self, number: int) -> Process:
        process = Process(self.server, ahead=(number - 1) * 90.0)
        process.clock.advance(self.elapsed)
        return process

    def teardown(self) -> None:
        self.runner.close()

    @rule(number=PROCESSES, value=VALUES, seconds=st.sampled_from([30, 5_000, 100_000]))
    def add(self, number: int, value: str, seconds: int) -> None:
        self.processes[number].add(value, seconds=seconds)

    @rule(number=PROCESSES, value=VALUES)
    def remove(self, number: int, value: str) -> None:
        self.removed |= self.processes[number].remove(value)

    @rule(number=PROCESSES)
    def sync(self, number: int) -> None:
        self.runner.run(self.processes[number].replica.sync())

    @rule()
    def flush(self) -> None:
        self.server._cache.clear()

    @rule(data=st.data())
    def evict(self, data: st.DataObject) -> None:
        if self.server._cache:
            del self.server._cache[data.draw(st.sampled_from(sorted(self.server._cache)))]

    @rule()
    def take_copy(self) -> None:
        self.old = dict(self.server._cache)

    @rule()
    def replay(self) -> None:
        self.server._cache |= self.old

    @rule(data=st.data())
    def forge(self, data: st.DataObject) -> None:
        if self.server._cache:
            names = st.sampled_from(sorted(self.server._cache))
            self.server._cache[data.draw(names)] = self.server._cache[data.draw(names)]

    @rule(number=PROCESSES)
    def restart(self, number: int) -> None:
        self.processes[number] = self.start(number)

    @rule(seconds=st.sampled_from([1, 40, 4_000]))
    def advance(self, seconds: int) -> None:
        self.elapsed += seconds
        for process in self.processes:
            process.clock.advance(seconds)
            process.replica.touch(process.records.prune())

    @rule()
    def settle(self) -> None:
        """After a few polls every process denies what any of them did, unless it was removed.

        An entry that ends soon may have ended in the process that has had it longest.
        """
        denied = set().union(*(process.denied(seconds=1000) for process in self.processes))
        known_as_removed = {r.tag for process in self.processes for r in process.records if r.removed}
        for _ in range(3):
            for process in self.processes:
                self.runner.run(process.replica.sync())
        for process in self.processes:
            assert denied - known_as_removed <= process.denied()
            assert not known_as_removed & process.denied()
        for process in self.processes:  # and nothing is left to do: they do not write against each other
            assert (frozenset(), [], False) == self.runner.run(process.replica.sync())

    @invariant()
    def a_process_that_removed_an_entry_does_not_deny_it(self) -> None:
        for process in self.processes:
            removed = {record.tag for record in process.records if record.removed}
            assert not removed & process.denied()
            assert removed <= self.removed


TestReplication = Replication.TestCase
TestReplication.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)


@pytest.fixture
def server() -> SimpleMemoryCache:
    return SimpleMemoryCache()


@pytest.mark.gen_test
async def test_a_flush_is_noticed_although_the_other_process_adds_as_many_entries(server: SimpleMemoryCache) -> None:
    here, there = Process(server), Process(server)
    for number in range(3):
        here.add(f"before {number}")
        await here.replica.sync()
        await there.replica.sync()
    server._cache.clear()
    for number in range(3):
        here.add(f"after {number}")
        await here.replica.sync()
    await there.replica.sync()
    late = Process(server)
    await late.replica.sync()
    assert here.denied() == there.denied() == late.denied()
    assert 6 == len(late.denied())


@pytest.mark.gen_test
async def test_the_processes_log_that_they_restore_entries(
    server: SimpleMemoryCache, caplog: pytest.LogCaptureFixture
) -> None:
    here, there = Process(server), Process(server)
    for number in range(20):
        here.add(str(number))
    await here.replica.sync()
    await there.replica.sync()
    assert [] == caplog.messages
    server._cache.clear()
    await there.replica.sync()
    assert ["deny list entries restored in the shared cache"] == caplog.messages
    assert [20] == [vars(record)["entries"] for record in caplog.records]


@pytest.mark.gen_test
async def test_an_evicted_part_of_a_long_list_is_restored_within_a_sweep(server: SimpleMemoryCache) -> None:
    here = Process(server)
    for number in range(100):
        here.add(str(number))
    await here.replica.sync()
    shards = here.records.shards()
    del server._cache[here.replica._key(max(shards))]
    for _ in range(len(shards) // deny_replica.CHECKED_PER_SYNC + 1):
        await here.replica.sync()
    late = Process(server)
    await late.replica.sync()
    assert here.denied() == late.denied()


@pytest.mark.gen_test
async def test_a_process_that_starts_knows_whether_the_cache_has_lost_something(server: SimpleMemoryCache) -> None:
    here = Process(server)
    assert (await here.replica.sync()).has_lost  # there is no index yet
    assert not (await Process(server).replica.sync()).has_lost  # an empty list has an index
    here.add("mallory")
    await here.replica.sync()
    assert not (await Process(server).replica.sync()).has_lost
    (shard,) = here.records.shards()
    del server._cache[here.replica._key(shard)]
    assert (await Process(server).replica.sync()).has_lost
    server._cache.clear()
    assert (await Process(server).replica.sync()).has_lost


@pytest.mark.gen_test
async def test_ended_entries_are_deleted_from_the_shared_cache(server: SimpleMemoryCache) -> None:
    here, there = Process(server), Process(server)
    here.add("mallory", seconds=60)
    await here.replica.sync()
    await there.replica.sync()
    for process in (here, there):
        process.clock.advance(1000)
        process.replica.touch(process.records.prune())
        await process.replica.sync()
    assert not any("mallory" in value for value in server._cache.values())


@pytest.mark.gen_test
async def test_a_poll_of_an_unchanged_list_reads_only_the_index_and_a_sample(server: SimpleMemoryCache) -> None:
    here = Process(server)
    for number in range(200):
        here.add(str(number))
    await here.replica.sync()
    read: list[str] = []
    get_many = here.cache.get_many

    async def counting(keys: list[str]) -> Any:
        read.extend(keys)
        return await get_many(keys)

    here.cache.get_many = counting  # type: ignore[method-assign, assignment]
    await here.replica.sync()
    assert 1 + deny_replica.CHECKED_PER_SYNC == len(read)


@pytest.mark.parametrize("failing", range(1, 5))
@pytest.mark.gen_test
async def test_a_failure_at_any_call_is_made_up_for_later(server: SimpleMemoryCache, failing: int) -> None:
    here, there = Process(server), Process(server)
    here.add("alice")
    calls = 0
    call = here.cache._call

    async def fail_once(operation: Any, *, default: Any, patient: bool) -> Any:
        nonlocal calls
        calls += 1
        return default if calls == failing else await call(operation, default=default, patient=patient)

    here.cache._call = fail_once  # type: ignore[method-assign, assignment]
    assert (await here.replica.sync()).corrected is None
    await here.replica.sync()
    await there.replica.sync()
    assert here.denied() == there.denied()
