from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from service.clock import ManualClock
from service.errors import InvalidToken, IssuerUnavailable, MissingToken, Reason, TooManyRequests
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
    [
        (None, False),
        (InvalidToken(Reason.INACTIVE), True),
        (IssuerUnavailable("down"), False),
        (TooManyRequests("300"), False),
    ],
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
    await _settle()
    assert ended is token.ended.is_set()
    await monitor.close()


async def _settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def _fails_at_once() -> None:
    raise ZeroDivisionError("of a validator")


async def _fails_later() -> Principal:
    raise ZeroDivisionError("of a validator")


@pytest.mark.parametrize("revalidate", [_fails_at_once, _fails_later])
@pytest.mark.gen_test
async def test_an_exception_of_a_validator_ends_only_its_own_token(
    revalidate: Any, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(token_monitor, "_PERIOD", 0)
    monitor = TokenMonitor(clock=clock)
    failing = monitor.watch(_principal(clock), revalidate=revalidate)
    other = monitor.watch(_principal(clock), revalidate=_accept)
    await failing.ended.wait()
    await _settle()
    assert not other.ended.is_set()
    assert ["the validation of a monitored token failed, which ends its connection"] == caplog.messages
    clock.advance(60)
    await other.ended.wait()
    await monitor.close()


@pytest.mark.gen_test
async def test_an_exception_of_a_callback_ends_no_other_check(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(token_monitor, "_PERIOD", 0)
    monitor = TokenMonitor(clock=clock)
    tokens = [
        monitor.watch(_principal(clock), revalidate=_accept, on_end=_fails_at_once, on_stop=_fails_at_once)
        for _ in range(3)
    ]
    clock.advance(60)
    await asyncio.gather(*(token.ended.wait() for token in tokens))
    stopped = monitor.watch(_principal(clock), revalidate=_accept, on_stop=_fails_at_once)
    await monitor.close()
    assert stopped.ended.is_set()
    assert ["the callback of an ended token failed"] * 4 == caplog.messages


@pytest.mark.gen_test
async def test_an_anonymous_client_is_told_only_when_the_service_stops(clock: ManualClock) -> None:
    ends: list[str] = []
    monitor = TokenMonitor(clock=clock, is_denied=lambda _principal: True)
    watched = monitor.watch(
        None, revalidate=None, on_end=lambda: ends.append("end"), on_stop=lambda: ends.append("stop")
    )
    clock.advance(1_000_000)
    await monitor.check_all()
    assert (False, 0) == (watched.ended.is_set(), len(monitor))
    with pytest.raises(MissingToken):
        _ = watched.principal
    monitor.stop()
    assert (True, ["stop"]) == (watched.ended.is_set(), ends)
    await monitor.close()


@pytest.mark.gen_test
async def test_the_token_of_a_client_that_began_anonymous_ends_its_connection(clock: ManualClock) -> None:
    monitor = TokenMonitor(clock=clock)
    watched = monitor.watch(None, revalidate=None)
    watched.replace(_principal(clock), revalidate=_accept)
    await monitor.check_all()
    assert (False, 1) == (watched.ended.is_set(), len(monitor))
    clock.advance(60)
    await monitor.check_all()
    assert watched.ended.is_set()
    await monitor.close()


@pytest.mark.gen_test
async def test_an_expiry_that_cannot_be_compared_ends_only_its_own_token(clock: ManualClock) -> None:
    monitor = TokenMonitor(clock=clock)
    odd = monitor.watch(replace(_principal(clock), expires_at=None), revalidate=_accept)  # type: ignore[arg-type]  # a validator's mistake
    other = monitor.watch(_principal(clock), revalidate=_accept)
    await monitor.check_all()
    assert (True, False) == (odd.ended.is_set(), other.ended.is_set())
    await monitor.close()


class Held:
    """Validates tokens when the test sets the result."""

    def __init__(self) -> None:
        self.calls = 0
        self.result = asyncio.get_running_loop().create_future()

    async def __call__(self) -> Principal:
        self.calls += 1
        principal: Principal = await asyncio.shield(self.result)
        return principal


@pytest.mark.gen_test
async def test_a_slow_validator_delays_no_expiry(clock: ManualClock) -> None:
    monitor, held = TokenMonitor(clock=clock), Held()
    slow = monitor.watch(_principal(clock), revalidate=held)
    other = monitor.watch(_principal(clock), revalidate=_accept)
    for _ in range(3):
        await asyncio.wait_for(monitor.check_all(), 1)
        await _settle()
    assert 1 == held.calls  # still awaited
    clock.advance(60)
    await asyncio.wait_for(monitor.check_all(), 1)
    assert (True, True) == (slow.ended.is_set(), other.ended.is_set())
    await monitor.close()


@pytest.mark.parametrize("outage", ["slow", "unavailable"])
@pytest.mark.gen_test
async def test_a_denied_token_ends_although_its_validator_does_not_respond(outage: str, clock: ManualClock) -> None:
    denied = set[str]()
    monitor, held = TokenMonitor(clock=clock, is_denied=lambda principal: principal.subject in denied), Held()
    if outage == "unavailable":
        held.result.set_exception(IssuerUnavailable("down"))
    alice, bob = (monitor.watch(_principal(clock, name), revalidate=held) for name in ("alice", "bob"))
    await monitor.check_all()
    await _settle()
    denied.add("bob")
    await monitor.check_all()
    assert (False, True) == (alice.ended.is_set(), bob.ended.is_set())
    await monitor.close()


@pytest.mark.gen_test
async def test_a_validator_is_called_again_after_its_response(clock: ManualClock) -> None:
    monitor, held = TokenMonitor(clock=clock), Held()
    token = monitor.watch(_principal(clock), revalidate=held)
    held.result.set_result(token.principal)
    for _ in range(3):
        await monitor.check_all()
        await _settle()
    assert (3, False) == (held.calls, token.ended.is_set())
    await monitor.close()


@pytest.mark.gen_test
async def test_a_validation_that_is_cancelled_is_repeated(clock: ManualClock) -> None:
    monitor, held = TokenMonitor(clock=clock), Held()
    token = monitor.watch(_principal(clock), revalidate=held)
    held.result.cancel()
    for _ in range(2):
        await monitor.check_all()
        await _settle()
    assert (2, False) == (held.calls, token.ended.is_set())
    await monitor.close()


@pytest.mark.parametrize("change", ["replaced", "detached"])
@pytest.mark.gen_test
async def test_a_rejection_of_a_replaced_or_detached_token_has_no_effect(change: str, clock: ManualClock) -> None:
    monitor, held = TokenMonitor(clock=clock), Held()
    token = monitor.watch(_principal(clock), revalidate=held)
    await monitor.check_all()
    await _settle()
    if change == "replaced":
        token.replace(_principal(clock), revalidate=_accept)
    else:
        token.detach()
    held.result.set_exception(InvalidToken(Reason.REVOKED))
    await _settle()
    assert not token.ended.is_set()
    held.result.exception()
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
