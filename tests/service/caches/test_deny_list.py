from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import servers

from service.caches import deny_list as module
from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyEntry, DenyList
from service.caches.deny_store import MAX_AGE, Reach
from service.caches.shared import SharedCache
from service.clock import ManualClock
from service.errors import InvalidToken, Reason
from service.tokens.principal import Principal

ISSUER = "https://issuer.example"
Connect = Callable[[str], SharedCache]


def _principal() -> Principal:
    claims = {"iss": ISSUER, "exp": 4_000_000_000, "jti": "one", "sub": "alice", "cid": "app"}
    return Principal.from_claims(claims, key_id="key-1")


def _entry(clock: ManualClock, kind: str = "jti", value: str = "one", issuer: str | None = None) -> DenyEntry:
    return DenyEntry(kind=kind, value=value, issuer=issuer, expires_at=clock.now() + 60)


def _is_denied(deny_list: DenyList, principal: Principal) -> bool:
    try:
        deny_list.check(principal)
    except InvalidToken as exc:
        return exc.reason is Reason.REVOKED
    return False


def _values(deny_list: DenyList) -> set[str]:
    return {entry.value for entry in deny_list}


@pytest.fixture
def deny_list(clock: ManualClock, connect: Connect) -> DenyList:
    return DenyList(connect("memory://"), clock=clock)


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
        ("kid", "key-1", ISSUER, True),
        ("kid", "key-1", None, True),
        ("kid", "key-1", "https://other.example", False),
        ("kid", "key-2", ISSUER, False),
        ("iss", ISSUER, None, True),
        ("iss", f"{ISSUER}/", None, False),
    ],
)
@pytest.mark.gen_test
async def test_an_entry_matches_by_kind_value_and_issuer(
    kind: str, value: str, issuer: str | None, denied: int, deny_list: DenyList, clock: ManualClock
) -> None:
    assert not _is_denied(deny_list, _principal())
    await deny_list.add(_entry(clock, kind, value, issuer))
    assert denied == _is_denied(deny_list, _principal())
    other = Principal.from_claims({"iss": "https://another.example", "exp": 4_000_000_000})
    assert not _is_denied(deny_list, other)


@pytest.mark.gen_test
async def test_an_entry_ends(deny_list: DenyList, clock: ManualClock) -> None:
    await deny_list.add(_entry(clock))
    clock.advance(60)
    assert not _is_denied(deny_list, _principal())
    assert [] == list(deny_list)


@pytest.mark.gen_test
async def test_an_entry_can_be_replaced_and_removed(deny_list: DenyList, clock: ManualClock) -> None:
    await deny_list.add(_entry(clock))
    clock.advance(1)
    entry = _entry(clock)
    await deny_list.add(entry)
    assert [entry] == list(deny_list)
    await deny_list.remove(*entry.key)
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
    await deny_list.remove("jti", "two", None)
    await deny_list.add(_entry(clock, value="three"))
    with pytest.raises(OverflowError, match="changes of entries"):
        await deny_list.add(_entry(clock, value="one"))
    assert {"one", "three"} == _values(deny_list)
    clock.advance(3600)
    await deny_list.add(_entry(clock, value="four"))


@pytest.mark.gen_test
async def test_a_list_in_one_process_is_not_shared(deny_list: DenyList, clock: ManualClock) -> None:
    assert Reach(shared=False, saved=None) == await deny_list.add(_entry(clock))
    assert Reach(shared=False, saved=None) == await deny_list.remove("jti", "one", None)
    await deny_list.refresh()
    assert deny_list.fresh
    await deny_list.close()


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.gen_test
async def test_an_entry_reaches_every_process_within_a_second(kind: str, connect: Connect, clock: ManualClock) -> None:
    with servers.running(kind) as server:
        here, there = (DenyList(connect(server.url), clock=clock) for _ in range(2))
        await there.refresh()
        assert (await here.add(_entry(clock))).shared
        # memcached takes a lifetime of more than 30 days for a date, which is in the past.
        far = DenyEntry(kind="sub", value="mallory", issuer=None, expires_at=clock.now() + 40 * 24 * 3600)
        assert (await here.add(far)).shared
        clock.advance(MAX_AGE)
        assert not there.fresh
        await there.refresh()
        assert _is_denied(there, _principal())
        assert (await here.remove("jti", "one", None)).shared
        clock.advance(MAX_AGE)
        await there.refresh()
        late = DenyList(connect(server.url), clock=clock)  # a process that starts later
        assert (await late.remove("jti", "never added", None)).shared
        assert {"mallory"} == _values(there) == _values(late)
        for each in (here, there, late):
            await each.close()


@pytest.mark.parametrize("kind", ["redis", "memcached"])
@pytest.mark.gen_test
async def test_after_a_flush_every_process_learns_every_entry(kind: str, connect: Connect, clock: ManualClock) -> None:
    with servers.running(kind) as server:
        cache = connect(server.url)
        here, there = (DenyList(connect(server.url), clock=clock) for _ in range(2))
        for number in range(3):
            await here.add(_entry(clock, value=f"before {number}"))
        await there.refresh()
        await cache._backend.client.flushall() if kind == "redis" else await cache._backend.clear()
        for number in range(3):  # as many as before, so that a counter would be the same
            assert (await here.add(_entry(clock, value=f"after {number}"))).shared
        await there.refresh()
        late = DenyList(connect(server.url), clock=clock)
        await late.refresh()
        assert 6 == len(_values(late))
        assert _values(here) == _values(there) == _values(late)
        for each in (here, there, late):
            await each.close()


@pytest.mark.gen_test
async def test_a_process_without_requests_restores_what_the_shared_cache_has_lost(
    connect: Connect, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.deny_store._POLL_INTERVAL", 0.01)
    with servers.running("redis") as server:
        cache, idle = connect(server.url), DenyList(connect(server.url), clock=clock)
        await idle.add(_entry(clock))
        await idle.refresh()
        await cache._backend.client.flushall()
        while await cache._backend.client.dbsize() < 2:  # noqa: ASYNC110  # a part and the index
            await asyncio.sleep(0.01)
        late = DenyList(connect(server.url), clock=clock)
        await late.refresh()
        assert _is_denied(late, _principal())
        for each in (idle, late):
            await each.close()


@pytest.mark.gen_test
async def test_a_restart_of_the_server_restores_the_entries_of_an_outage(connect: Connect, clock: ManualClock) -> None:
    with servers.running("redis") as server:
        here, there = (DenyList(connect(server.url), clock=clock) for _ in range(2))
        await here.add(_entry(clock, value="before"))
        server.stop()
        assert not (await here.add(_entry(clock))).shared
        clock.advance(MAX_AGE)
        await here.refresh()
        assert _is_denied(here, _principal())
        server.start()
        for _ in range(4):  # each may find a lost connection
            clock.advance(MAX_AGE)
            await here.refresh()
            await there.refresh()
        assert {"before", "one"} == _values(here) == _values(there)
        for each in (here, there):
            await each.close()


@pytest.mark.gen_test
async def test_an_entry_is_not_shared_if_another_process_could_not_read_it(
    connect: Connect, clock: ManualClock
) -> None:
    cache = connect("redis://127.0.0.1:1")
    stored: dict[str, Any] = {}

    async def get_many(keys: list[str]) -> list[Any]:
        return [stored.get(key) for key in keys]

    async def lose(_: Mapping[str, Any]) -> bool:
        return True  # as memcached does with a value that it evicts at once

    cache.get_many, cache.set_many = get_many, lose  # type: ignore[method-assign, assignment]
    deny_list = DenyList(cache, clock=clock)
    assert not (await deny_list.add(_entry(clock))).shared
    assert _is_denied(deny_list, _principal())
    await deny_list.close()


@pytest.mark.gen_test
async def test_the_file_restores_the_entries_after_a_restart(
    connect: Connect, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "deny-list.json"
    before = DenyList(connect("memory://"), clock=clock, file=DenyListFile(path, clock=clock))
    assert Reach(shared=False, saved=True) == await before.add(_entry(clock))
    await before.add(_entry(clock, value="two"))
    await before.remove("jti", "two", None)
    await before.close()
    after = DenyList(connect("memory://"), clock=clock, file=DenyListFile(path, clock=clock))
    assert {"one"} == _values(after)
    assert _is_denied(after, _principal())


@pytest.mark.gen_test
async def test_the_file_has_the_entries_of_other_processes_too(
    connect: Connect, clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "deny-list.json"
    with servers.running("redis") as server:
        here = DenyList(connect(server.url), clock=clock)
        there = DenyList(connect(server.url), clock=clock, file=DenyListFile(path, clock=clock))
        await here.add(_entry(clock))
        await there.refresh()
        for each in (here, there):
            await each.close()
    after = DenyList(connect("memory://"), clock=clock, file=DenyListFile(path, clock=clock))
    assert _is_denied(after, _principal())


@pytest.mark.gen_test
async def test_a_refresh_of_key_sets_reaches_every_process_once(connect: Connect, clock: ManualClock) -> None:
    fetched: list[tuple[str, str | None]] = []

    def recording(name: str, deny_list: DenyList) -> DenyList:
        async def fetch(issuer: str | None) -> Mapping[str, bool]:
            fetched.append((name, issuer))
            return {issuer or "all": True}

        deny_list.on_key_refresh(fetch)
        return deny_list

    with servers.running("redis") as server:
        here, there = (recording(name, DenyList(connect(server.url), clock=clock)) for name in ("here", "there"))
        await there.refresh()
        assert ({ISSUER: True}, Reach(shared=True, saved=None)) == await here.refresh_key_sets(ISSUER)
        await here.refresh_key_sets(None)
        for _ in range(2):
            await there.refresh()
            await here.refresh()
        for each in (here, there):
            await each.close()
    assert [("here", ISSUER), ("here", None)] == fetched[:2]
    assert {("there", ISSUER), ("there", None)} == set(fetched[2:])
    assert 4 == len(fetched)
    assert [] == list(here)
    assert [] == list(there)


@pytest.mark.gen_test
async def test_without_key_sets_nothing_is_refreshed(deny_list: DenyList) -> None:
    assert ({}, Reach(shared=False, saved=None)) == await deny_list.refresh_key_sets(None)
