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


def _accept() -> None:
    """Accept the token."""


def _principal(clock: ManualClock, subject: str = "alice") -> Principal:
    return Principal.from_claims({"iss": "test", "sub": subject, "exp": clock.now() + 60})


@pytest.mark.gen_test
async def test_an_expired_token_ends_once(clock: ManualClock) -> None:
    monitor, ends = TokenMonitor(clock=clock), list[str]()
    token = monitor.watch(_principal(clock), revalidate=_accept, on_end=lambda: ends.append("ended"))
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
async def test_only_the_revoked_token_ends(clock: ManualClock) -> None:
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
async def test_checks_run_periodically_while_a_token_is_watched(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_monitor, "_PERIOD", 0)
    monitor = TokenMonitor(clock=clock)
    for _ in range(2):
        token = monitor.watch(_principal(clock), revalidate=_accept)
        other = monitor.watch(_principal(clock), revalidate=_accept)
        clock.advance(60)
        await token.ended.wait()
        await other.ended.wait()
    task = monitor._task
    assert task is not None
    await task
    await monitor.close()


@pytest.mark.gen_test
async def test_the_monitor_does_not_keep_a_token_alive(clock: ManualClock) -> None:
    monitor = TokenMonitor(clock=clock)
    monitor.watch(_principal(clock), revalidate=_accept)
    gc.collect()
    assert 0 == len(monitor._tokens)
    await monitor.close()


@pytest.mark.gen_test
async def test_a_detached_token_calls_no_callback(clock: ManualClock) -> None:
    monitor, ends = TokenMonitor(clock=clock), list[str]()
    token = monitor.watch(_principal(clock), revalidate=_accept, on_end=lambda: ends.append("ended"))
    token.detach()
    clock.advance(60)
    await monitor.check_all()
    assert (True, []) == (token.ended.is_set(), ends)
    await monitor.close()


@pytest.mark.parametrize(
    ("error", "ended"),
    [(None, False), (InvalidToken(Reason.INACTIVE), True), (IssuerUnavailable("down"), False)],
)
@pytest.mark.gen_test
async def test_only_a_rejection_by_the_issuer_ends_a_token(
    error: Exception | None, ended: object, clock: ManualClock
) -> None:
    async def revalidate() -> Principal:
        if error is not None:
            raise error
        return _principal(clock)

    monitor = TokenMonitor(clock=clock)
    token = monitor.watch(_principal(clock), revalidate=revalidate)
    await monitor.check_all()
    assert ended is token.ended.is_set()
    await monitor.close()


@pytest.mark.gen_test
async def test_requests_run_between_the_checks_of_many_tokens(clock: ManualClock) -> None:
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


def test_denied_and_expired_principals_are_recognized(clock: ManualClock) -> None:
    monitor = TokenMonitor(clock=clock, is_denied=lambda principal: principal.subject == "bob")
    assert [False, True] == [monitor.is_expired_or_denied(_principal(clock, name)) for name in ("alice", "bob")]
    principal = _principal(clock)
    clock.advance(60)
    assert monitor.is_expired_or_denied(principal)


@pytest.mark.gen_test
async def test_closing_the_monitor_calls_on_stop_instead_of_on_end(clock: ManualClock) -> None:
    monitor, ends = TokenMonitor(clock=clock), list[str]()
    token = monitor.watch(
        _principal(clock),
        revalidate=_accept,
        on_end=lambda: ends.append("ended"),
        on_stop=lambda: ends.append("stopped"),
    )
    await asyncio.sleep(0)
    await monitor.close()
    assert (True, ["stopped"]) == (token.ended.is_set(), ends)
    await TokenMonitor(clock=clock).close()
