from __future__ import annotations

import pytest

from service.caches.tokens import Verdict, Verdicts
from service.clock import ManualClock
from service.tokens.principal import Principal


def _principal(clock: ManualClock, *, lifetime: float = 60) -> Principal:
    return Principal.from_claims({"iss": "https://issuer.example", "exp": clock.now() + lifetime, "sub": "alice"})


def test_recalls_what_it_was_told_and_nothing_else(verdicts: Verdicts, clock: ManualClock) -> None:
    principal = _principal(clock)
    verdicts.remember("token", Verdict(principal, lambda: True))
    assert principal is verdicts.recall("token")
    assert verdicts.recall("other") is None
    assert verdicts.recall("token ") is None


def test_forgets_a_token_the_moment_it_expires(verdicts: Verdicts, clock: ManualClock) -> None:
    verdicts.remember("token", Verdict(_principal(clock), lambda: True))
    clock.advance(59)
    assert verdicts.recall("token") is not None
    clock.advance(1)
    assert verdicts.recall("token") is None


def test_a_recall_does_not_make_a_verdict_live_longer(verdicts: Verdicts, clock: ManualClock) -> None:
    verdicts.remember("token", Verdict(_principal(clock), lambda: True))
    for _ in range(60):
        verdicts.recall("token")
        clock.advance(1)
    assert verdicts.recall("token") is None


def test_forgets_a_verdict_when_what_it_rests_on_is_gone(verdicts: Verdicts, clock: ManualClock) -> None:
    published = True
    verdicts.remember("token", Verdict(_principal(clock), lambda: published))
    published = False
    assert verdicts.recall("token") is None
    published = True
    assert verdicts.recall("token") is None


def test_a_clock_that_jumps_ahead_ends_a_verdict(verdicts: Verdicts, clock: ManualClock) -> None:
    verdicts.remember("token", Verdict(_principal(clock), lambda: True))
    clock.advance(3600)
    assert verdicts.recall("token") is None


@pytest.mark.parametrize("capacity", [1, 10])
def test_is_bounded_and_keeps_what_was_used_last(capacity: int, clock: ManualClock) -> None:
    verdicts = Verdicts(clock=clock, capacity=capacity)
    for number in range(capacity + 5):
        verdicts.remember(str(number), Verdict(_principal(clock), lambda: True))
    remembered = [number for number in range(capacity + 5) if verdicts.recall(str(number))]
    assert list(range(5, capacity + 5)) == remembered


def test_holds_no_token(verdicts: Verdicts, clock: ManualClock) -> None:
    verdicts.remember("sesame", Verdict(_principal(clock), lambda: True))
    assert "sesame" not in repr(vars(verdicts))
