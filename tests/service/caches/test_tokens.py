from __future__ import annotations

import pytest

from service.caches.tokens import ValidatedToken, ValidatedTokenCache
from service.clock import ManualClock
from service.tokens.principal import Principal


def _principal(clock: ManualClock, *, lifetime: float = 60) -> Principal:
    return Principal.from_claims({"iss": "https://issuer.example", "exp": clock.now() + lifetime, "sub": "alice"})


def test_only_a_cached_token_is_found(token_cache: ValidatedTokenCache, clock: ManualClock) -> None:
    principal = _principal(clock)
    token_cache.put("token", ValidatedToken(principal, lambda: True))
    assert principal is token_cache.get("token")
    assert token_cache.get("other") is None
    assert token_cache.get("token ") is None


def test_a_token_is_removed_when_it_expires(token_cache: ValidatedTokenCache, clock: ManualClock) -> None:
    token_cache.put("token", ValidatedToken(_principal(clock), lambda: True))
    clock.advance(59)
    assert token_cache.get("token") is not None
    clock.advance(1)
    assert token_cache.get("token") is None


def test_a_lookup_does_not_extend_the_lifetime(token_cache: ValidatedTokenCache, clock: ManualClock) -> None:
    token_cache.put("token", ValidatedToken(_principal(clock), lambda: True))
    for _ in range(60):
        token_cache.get("token")
        clock.advance(1)
    assert token_cache.get("token") is None


def test_a_token_is_removed_when_it_is_no_longer_current(token_cache: ValidatedTokenCache, clock: ManualClock) -> None:
    published = True
    token_cache.put("token", ValidatedToken(_principal(clock), lambda: published))
    published = False
    assert token_cache.get("token") is None
    published = True
    assert token_cache.get("token") is None


def test_a_clock_that_jumps_ahead_expires_a_token(token_cache: ValidatedTokenCache, clock: ManualClock) -> None:
    token_cache.put("token", ValidatedToken(_principal(clock), lambda: True))
    clock.advance(3600)
    assert token_cache.get("token") is None


@pytest.mark.parametrize("capacity", [1, 10])
def test_the_least_recently_used_token_is_evicted(capacity: int, clock: ManualClock) -> None:
    token_cache = ValidatedTokenCache(clock=clock, capacity=capacity)
    for number in range(capacity + 5):
        token_cache.put(str(number), ValidatedToken(_principal(clock), lambda: True))
    cached = [number for number in range(capacity + 5) if token_cache.get(str(number))]
    assert list(range(5, capacity + 5)) == cached


def test_the_token_itself_is_not_stored(token_cache: ValidatedTokenCache, clock: ManualClock) -> None:
    token_cache.put("sesame", ValidatedToken(_principal(clock), lambda: True))
    assert "sesame" not in repr(vars(token_cache))
