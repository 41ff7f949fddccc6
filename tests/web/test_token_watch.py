from __future__ import annotations

import asyncio
import gc

import pytest

from service.clock import ManualClock
from service.tokens.principal import Principal
from service.web import token_watch
from service.web.token_watch import TokenWatch


def _principal(clock: ManualClock, subject: str = "alice") -> Principal:
    return Principal.from_claims({"iss": "words", "sub": subject, "exp": clock.now() + 60})


@pytest.mark.gen_test
async def test_ends_a_token_once_when_it_expires(clock: ManualClock) -> None:
    watch, ends = TokenWatch(clock=clock), list[str]()
    token = watch.watch(_principal(clock), on_end=lambda: ends.append("ended"))
    clock.advance(59)
    watch.look()
    assert (False, []) == (token.ended.is_set(), ends)
    clock.advance(1)
    watch.look()
    watch.look()
    token.end()
    assert (True, ["ended"]) == (token.ended.is_set(), ends)
    await watch.close()


@pytest.mark.gen_test
async def test_ends_a_token_that_is_revoked_and_no_other(clock: ManualClock) -> None:
    revoked: set[str | None] = set()
    watch = TokenWatch(clock=clock, is_revoked=lambda principal: principal.subject in revoked)
    alice, bob = (watch.watch(_principal(clock, name)) for name in ("alice", "bob"))
    watch.look()
    revoked.add("bob")
    watch.look()
    assert (False, True) == (alice.ended.is_set(), bob.ended.is_set())
    await watch.close()


@pytest.mark.gen_test
async def test_looks_by_itself_and_stops_when_nothing_is_open(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_watch, "_PERIOD", 0)
    watch = TokenWatch(clock=clock)
    for _ in range(2):
        token = watch.watch(_principal(clock))
        other = watch.watch(_principal(clock))
        clock.advance(60)
        await token.ended.wait()
        await other.ended.wait()
    looking = watch._looking
    assert looking is not None
    await looking
    await watch.close()


@pytest.mark.gen_test
async def test_holds_no_token_longer_than_whoever_uses_it(clock: ManualClock) -> None:
    watch = TokenWatch(clock=clock)
    watch.watch(_principal(clock))
    gc.collect()
    assert 0 == len(watch._tokens)
    await watch.close()


@pytest.mark.gen_test
async def test_whoever_forgets_is_not_told(clock: ManualClock) -> None:
    watch, ends = TokenWatch(clock=clock), list[str]()
    token = watch.watch(_principal(clock), on_end=lambda: ends.append("ended"))
    token.forget()
    clock.advance(60)
    watch.look()
    assert (True, []) == (token.ended.is_set(), ends)
    await watch.close()


@pytest.mark.gen_test
async def test_at_the_end_streams_end_and_sockets_are_told_nothing(clock: ManualClock) -> None:
    watch, ends = TokenWatch(clock=clock), list[str]()
    token = watch.watch(_principal(clock), on_end=lambda: ends.append("ended"))
    await asyncio.sleep(0)
    await watch.close()
    assert (True, []) == (token.ended.is_set(), ends)
    await TokenWatch(clock=clock).close()
