from __future__ import annotations

import asyncio
import gc
from functools import partial

import pytest

from service.clock import ManualClock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.tokens.principal import Principal
from service.web.handler import token_watch
from service.web.handler.token_watch import TokenWatch


def _good() -> None:
    """Say that a token is known to be good."""


def _principal(clock: ManualClock, subject: str = "alice") -> Principal:
    return Principal.from_claims({"iss": "words", "sub": subject, "exp": clock.now() + 60})


@pytest.mark.gen_test
async def test_ends_a_token_once_when_it_expires(clock: ManualClock) -> None:
    watch, ends = TokenWatch(clock=clock), list[str]()
    token = watch.watch(_principal(clock), judge=_good, on_end=lambda: ends.append("ended"))
    clock.advance(59)
    await watch.look()
    assert (False, []) == (token.ended.is_set(), ends)
    clock.advance(1)
    await watch.look()
    await watch.look()
    token.end()
    assert (True, ["ended"]) == (token.ended.is_set(), ends)
    await watch.close()


@pytest.mark.gen_test
async def test_ends_a_token_that_is_revoked_and_no_other(clock: ManualClock) -> None:
    watch, revoked = TokenWatch(clock=clock), set[str]()

    def judge(name: str) -> None:
        if name in revoked:
            raise InvalidToken(Reason.REVOKED)

    alice, bob = (watch.watch(_principal(clock, name), judge=partial(judge, name)) for name in ("alice", "bob"))
    await watch.look()
    revoked.add("bob")
    await watch.look()
    assert (False, True) == (alice.ended.is_set(), bob.ended.is_set())
    await watch.close()


@pytest.mark.gen_test
async def test_looks_by_itself_and_stops_when_nothing_is_open(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_watch, "_PERIOD", 0)
    watch = TokenWatch(clock=clock)
    for _ in range(2):
        token = watch.watch(_principal(clock), judge=_good)
        other = watch.watch(_principal(clock), judge=_good)
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
    watch.watch(_principal(clock), judge=_good)
    gc.collect()
    assert 0 == len(watch._tokens)
    await watch.close()


@pytest.mark.gen_test
async def test_whoever_forgets_is_not_told(clock: ManualClock) -> None:
    watch, ends = TokenWatch(clock=clock), list[str]()
    token = watch.watch(_principal(clock), judge=_good, on_end=lambda: ends.append("ended"))
    token.forget()
    clock.advance(60)
    await watch.look()
    assert (True, []) == (token.ended.is_set(), ends)
    await watch.close()


@pytest.mark.parametrize(
    ("error", "is_over"), [(None, False), (InvalidToken(Reason.INACTIVE), True), (IssuerUnavailable("down"), False)]
)
@pytest.mark.gen_test
async def test_asks_the_issuer_again_and_takes_only_a_refusal_for_the_end(
    error: Exception | None, is_over: object, clock: ManualClock
) -> None:
    async def ask() -> Principal:
        if error is not None:
            raise error
        return _principal(clock)

    watch = TokenWatch(clock=clock)
    token = watch.watch(_principal(clock), judge=ask)
    await watch.look()
    assert is_over is token.ended.is_set()
    await watch.close()


@pytest.mark.gen_test
async def test_lets_requests_run_between_many_tokens(clock: ManualClock) -> None:
    watch, served = TokenWatch(clock=clock), list[int]()
    tokens = [watch.watch(_principal(clock), judge=lambda: served.append(0)) for _ in range(250)]

    async def serve() -> None:
        served.append(1)

    request = asyncio.create_task(serve())
    await watch.look()
    assert [0] * 100 + [1] + [0] * 150 == served
    assert not any(token.ended.is_set() for token in tokens)
    await request
    await watch.close()


def test_a_message_is_held_to_what_is_denied_here(clock: ManualClock) -> None:
    watch = TokenWatch(clock=clock, is_denied=lambda principal: principal.subject == "bob")
    assert [False, True] == [watch.is_over(_principal(clock, name)) for name in ("alice", "bob")]
    principal = _principal(clock)
    clock.advance(60)
    assert watch.is_over(principal)


@pytest.mark.gen_test
async def test_at_the_end_of_the_service_it_says_so_and_not_that_the_token_ended(clock: ManualClock) -> None:
    watch, ends = TokenWatch(clock=clock), list[str]()
    token = watch.watch(
        _principal(clock), judge=_good, on_end=lambda: ends.append("ended"), on_stop=lambda: ends.append("stopped")
    )
    await asyncio.sleep(0)
    await watch.close()
    assert (True, ["stopped"]) == (token.ended.is_set(), ends)
    await TokenWatch(clock=clock).close()
