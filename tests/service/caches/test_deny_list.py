from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import servers

from service.caches import deny_list as module
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.shared import SharedCache
from service.clock import ManualClock
from service.errors import InvalidToken, Reason
from service.tokens.principal import Principal

ISSUER = "https://issuer.example"


def _principal(**claims: Any) -> Principal:
    return Principal.from_claims(
        {"iss": ISSUER, "exp": 4_000_000_000, "jti": "one", "sub": "alice", "cid": "app"} | claims
    )


def _entry(clock: ManualClock, kind: str = "jti", value: str = "one", issuer: str | None = None) -> DenyEntry:
    return DenyEntry(kind=kind, value=value, issuer=issuer, expires_at=clock.now() + 60)


def _is_denied(deny_list: DenyList, principal: Principal) -> bool:
    try:
        deny_list.check(principal)
    except InvalidToken as exc:
        return exc.reason is Reason.REVOKED
    return False


@pytest.fixture
def deny_list(cache: SharedCache, clock: ManualClock) -> DenyList:
    return DenyList(cache, clock=clock)


@pytest.mark.parametrize(
    ("kind", "value", "issuer", "denied"),
    [
        ("jti", "one", None, True),
        ("jti", "one", ISSUER, True),
        ("jti", "one", "https://other.example", False),
        ("jti", "two", None, False),
        ("sub", "alice", None, True),
        ("sub", "one", None, False),
        ("cid", "app", ISSUER, True),
    ],
)
@pytest.mark.gen_test
async def test_an_entry_matches_by_kind_value_and_issuer(
    kind: str, value: str, issuer: str | None, denied: int, deny_list: DenyList, clock: ManualClock
) -> None:
    assert not _is_denied(deny_list, _principal())
    assert await deny_list.add(_entry(clock, kind, value, issuer))
    assert denied == _is_denied(deny_list, _principal())
    assert not _is_denied(deny_list, _principal(jti=["one"], sub=None, cid=None))


@pytest.mark.gen_test
async def test_an_entry_ends(deny_list: DenyList, clock: ManualClock) -> None:
    await deny_list.add(_entry(clock))
    clock.advance(60)
    assert not _is_denied(deny_list, _principal())
    assert [] == list(deny_list)


@pytest.mark.gen_test
async def test_an_entry_can_be_removed(deny_list: DenyList, clock: ManualClock) -> None:
    entry = _entry(clock)
    await deny_list.add(entry)
    assert [entry] == list(deny_list)
    assert await deny_list.remove(*entry.key)
    assert not _is_denied(deny_list, _principal())


@pytest.mark.gen_test
async def test_callbacks_run_when_an_entry_is_added_or_removed(deny_list: DenyList, clock: ManualClock) -> None:
    calls: list[str] = []
    deny_list.on_change(lambda: calls.append("changed"))
    await deny_list.add(_entry(clock))
    await deny_list.remove("jti", "one", None)
    await deny_list.remove("jti", "never added", None)
    assert ["changed", "changed"] == calls


@pytest.mark.gen_test
async def test_the_capacity_counts_only_entries_in_force(
    deny_list: DenyList, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CAPACITY", 2)
    for value in ("one", "two", "one"):
        await deny_list.add(_entry(clock, value=value))
    with pytest.raises(OverflowError, match="remove some"):
        await deny_list.add(_entry(clock, value="three"))
    clock.advance(61)
    await deny_list.add(_entry(clock, value="three"))


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.gen_test
async def test_an_entry_reaches_every_process_within_a_second(
    kind: str, connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    with servers.running(kind) as server:
        here, there = (DenyList(connect(server.url), clock=clock) for _ in range(2))
        await there.refresh()
        assert await here.add(_entry(clock))
        assert await here.add(_entry(clock, "sub", "mallory"))
        clock.advance(module.MAX_AGE)
        await asyncio.gather(there.refresh(), there.refresh())
        assert _is_denied(there, _principal())
        await here.remove("jti", "one", None)
        clock.advance(module.MAX_AGE)
        await there.refresh()
        assert ["mallory"] == [entry.value for entry in there]
        late = DenyList(connect(server.url), clock=clock)  # a process that starts later
        await late.refresh()
        assert ["mallory"] == [entry.value for entry in late]
        await late.close()


@pytest.mark.gen_test
async def test_a_process_that_only_polls_removes_ended_entries(
    connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        here, there = (DenyList(connect(server.url), clock=clock) for _ in range(2))
        for value in ("one", "two"):
            await here.add(_entry(clock, value=value))
        await there.refresh()
        assert 2 == len(there._entries)
        clock.advance(3600)
        await there.refresh()
        assert 0 == len(there._entries)


@pytest.mark.gen_test
async def test_a_reserved_number_is_polled_until_its_entry_is_written(
    connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        cache, deny_list = connect(server.url), DenyList(connect(server.url), clock=clock)
        await cache._backend.increment("denied:last")
        await deny_list.refresh()
        assert [] == list(deny_list)
        entry = {"kind": "jti", "value": "one", "issuer": None, "expires_at": clock.now() + 60}
        await cache._backend.set("denied:1", entry)
        clock.advance(module.MAX_AGE)
        await deny_list.refresh()
        assert _is_denied(deny_list, _principal())
        await cache._backend.increment("denied:last")  # a process that dies before it writes the entry
        for _ in range(12):
            clock.advance(module.MAX_AGE)
            await deny_list.refresh()
        assert {} == deny_list._pending


@pytest.mark.gen_test
async def test_while_the_shared_cache_is_unavailable_entries_stay_local(
    connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        deny_list = DenyList(connect(server.url), clock=clock)
        await deny_list.add(_entry(clock, value="before"))
        server.stop()
        assert not await deny_list.add(_entry(clock))
        clock.advance(module.MAX_AGE)
        await deny_list.refresh()
        assert _is_denied(deny_list, _principal())
        server.start()  # empty, so that numbers start from 1 again
        other = DenyList(connect(server.url), clock=clock)
        await other.add(_entry(clock, "sub", "bob"))
        for _ in range(4):
            clock.advance(module.MAX_AGE)
            await deny_list.refresh()
        assert {"before", "one"} <= {entry.value for entry in deny_list}


@pytest.mark.parametrize(
    "entry",
    [None, [], {}, {"kind": "aud", "value": "x", "issuer": None, "expires_at": 1}, {"kind": "jti", "value": 1},
     {"kind": "jti", "value": "x", "issuer": 7, "expires_at": 1}],
)  # fmt: skip
def test_a_malformed_entry_is_ignored(entry: Any) -> None:
    assert DenyEntry.read(entry) is None


@pytest.mark.gen_test
async def test_closing_waits_for_a_poll_in_progress(connect: Callable[[str], SharedCache], clock: ManualClock) -> None:
    with servers.running("redis") as server:
        deny_list = DenyList(connect(server.url), clock=clock)
        poll = asyncio.ensure_future(deny_list.refresh())
        await asyncio.sleep(0)
        await deny_list.close()
        assert deny_list.fresh
        await poll


@pytest.mark.gen_test
async def test_a_cleared_cache_is_read_from_the_start(
    connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        cache, deny_list = connect(server.url), DenyList(connect(server.url), clock=clock)
        for value in ("one", "two"):
            await DenyList(cache, clock=clock).add(_entry(clock, value=value))
        await deny_list.refresh()
        await cache._backend.clear()
        await DenyList(cache, clock=clock).add(_entry(clock, value="three"))
        clock.advance(module.MAX_AGE)
        await deny_list.refresh()
        assert {"one", "two", "three"} == {entry.value for entry in deny_list}
