from __future__ import annotations

import asyncio
import gc
from functools import partial

import pytest

from service.clock import ManualClock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.tokens.principal import Principal
from service.web.handler import token_monitor
from service.web.handler.token_monitor import TokenMonitor


def _good() -> None:
    """Say that a token is known to be good."""


def _principal(clock: ManualClock, subject: str = "alice") -> Principal:
    return Principal.from_claims({"iss": "words", "sub": subject, "exp": clock.now() + 60})


@pytest.mark.gen_test
async def test_ends_a_token_once_when_it_expires(clock: ManualClock) -> None:
    monitor, ends = TokenMonitor(clock=clock), list[str]()
    token = monitor.watch(_principal(clock), revalidate=_good, on_end=lambda: ends.append("ended"))
    clock.advance(59)
    await monitor.check_all()
    assert (False, []) == (token.ended.is_set(), ends)
    clock.advance(1)
    await monitor.check_all()
    await monitor.check_all()
    token.end()
    assert (True, ["ended"]) == (token.ended.is_set(), ends)
    await monitor.close()


@pytest.mark.gen_test
async def test_ends_a_token_that_is_revoked_and_no_other(clock: ManualClock) -> None:
    monitor, revoked = TokenMonitor(clock=clock), set[str]()

    def revalidate(name: str) -> None:
        if name in revoked:
            raise InvalidToken(Reason.REVOKED)

    alice, bob = (
        monitor.watch(_principal(clock, name), revalidate=partial(revalidate, name)) for name in ("alice", "bob")
    )
    await monitor.check_all()
    revoked.add("bob")
    await monitor.check_all()
    assert (False, True) == (alice.ended.is_set(), bob.ended.is_set())
    await monitor.close()


@pytest.mark.gen_test
async def test_looks_by_itself_and_stops_when_nothing_is_open(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_monitor, "_PERIOD", 0)
    monitor = TokenMonitor(clock=clock)
    for _ in range(2):
        token = monitor.watch(_principal(clock), revalidate=_good)
        other = monitor.watch(_principal(clock), revalidate=_good)
        clock.advance(60)
        await token.ended.wait()
        await other.ended.wait()
    looking = monitor._task
    assert looking is not None
    await looking
    await monitor.close()


@pytest.mark.gen_test
async def test_holds_no_token_longer_than_whoever_uses_it(clock: ManualClock) -> None:
    monitor = TokenMonitor(clock=clock)
    monitor.watch(_principal(clock), revalidate=_good)
    gc.collect()
    assert 0 == len(monitor._tokens)
    await monitor.close()


@pytest.mark.gen_test
async def test_whoever_forgets_is_not_told(clock: ManualClock) -> None:
    monitor, ends = TokenMonitor(clock=clock), list[str]()
    token = monitor.watch(_principal(clock), revalidate=_good, on_end=lambda: ends.append("ended"))
    token.detach()
    clock.advance(60)
    await monitor.check_all()
    assert (True, []) == (token.ended.is_set(), ends)
    await monitor.close()


@pytest.mark.parametrize(
    ("error", "is_expired_or_denied"),
    [(None, False), (InvalidToken(Reason.INACTIVE), True), (IssuerUnavailable("down"), False)],
)
@pytest.mark.gen_test
async def test_asks_the_issuer_again_and_takes_only_a_refusal_for_the_end(
    error: Exception | None, is_expired_or_denied: object, clock: ManualClock
) -> None:
    async def ask() -> Principal:
        if error is not None:
            raise error
        return _principal(clock)

    monitor = TokenMonitor(clock=clock)
    token = monitor.watch(_principal(clock), revalidate=ask)
    await monitor.check_all()
    assert is_expired_or_denied is token.ended.is_set()
    await monitor.close()


@pytest.mark.gen_test
async def test_lets_requests_run_between_many_tokens(clock: ManualClock) -> None:
    monitor, served = TokenMonitor(clock=clock), list[int]()
    tokens = [monitor.watch(_principal(clock), revalidate=lambda: served.append(0)) for _ in range(250)]

    async def serve() -> None:
        served.append(1)

    request = asyncio.create_task(serve())
    await monitor.check_all()
    assert [0] * 100 + [1] + [0] * 150 == served
    assert not any(token.ended.is_set() for token in tokens)
    await request
    await monitor.close()


def test_a_message_is_held_to_what_is_denied_here(clock: ManualClock) -> None:
    monitor = TokenMonitor(clock=clock, is_denied=lambda principal: principal.subject == "bob")
    assert [False, True] == [monitor.is_expired_or_denied(_principal(clock, name)) for name in ("alice", "bob")]
    principal = _principal(clock)
    clock.advance(60)
    assert monitor.is_expired_or_denied(principal)


@pytest.mark.gen_test
async def test_at_the_end_of_the_service_it_says_so_and_not_that_the_token_ended(clock: ManualClock) -> None:
    monitor, ends = TokenMonitor(clock=clock), list[str]()
    token = monitor.watch(
        _principal(clock), revalidate=_good, on_end=lambda: ends.append("ended"), on_stop=lambda: ends.append("stopped")
    )
    await asyncio.sleep(0)
    await monitor.close()
    assert (True, ["stopped"]) == (token.ended.is_set(), ends)
    await TokenMonitor(clock=clock).close()
