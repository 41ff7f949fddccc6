from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import servers

from service.caches.introspection import IntrospectionCache
from service.caches.shared import SharedCache
from service.clock import ManualClock
from service.errors import IssuerUnavailable

SECRET = b"s" * 32
ACTIVE = {"active": True, "sub": "alice"}


class Issuer:
    """An introspection endpoint that counts requests."""

    def __init__(self, document: dict[str, Any] | None = None, *, fails: bool = False) -> None:
        self.document = document or ACTIVE
        self.fails = fails
        self.requests = 0

    async def __call__(self) -> dict[str, Any]:
        self.requests += 1
        await asyncio.sleep(0)
        if self.fails:
            raise IssuerUnavailable("down")
        return self.document


@pytest.fixture
def responses(cache: SharedCache, clock: ManualClock) -> IntrospectionCache:
    return IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60)


@pytest.mark.gen_test
async def test_concurrent_callers_share_one_request(responses: IntrospectionCache) -> None:
    issuer = Issuer()
    cached = await asyncio.gather(*(responses.get("token", issuer) for _ in range(100)))
    assert {True} == {response.document["active"] for response in cached}
    assert 1 == issuer.requests


@pytest.mark.gen_test
async def test_an_active_token_is_recorded_until_it_is_inactive(
    cache_url: str, connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    one, two = (IntrospectionCache(connect(cache_url), clock=clock, secret=SECRET, lifetime=60) for _ in range(2))
    assert not one.was_active("token")
    await one.get("token", Issuer())
    await asyncio.gather(*one._shared._background)
    await two.get("token", Issuer())
    clock.advance(61)
    assert one.was_active("token")
    assert cache_url == "memory://" or two.was_active("token")
    one.delete("token")
    await one.get("token", Issuer({"active": False}))
    assert not one.was_active("token")
    without_cache = IntrospectionCache(connect("memory://"), clock=clock, secret=SECRET, lifetime=0)
    await without_cache.get("token", Issuer())
    assert without_cache.was_active("token")


@pytest.mark.gen_test
async def test_processes_share_one_request(
    cache_url: str, connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    if cache_url == "memory://":
        one = two = connect(cache_url)
    else:
        one, two = connect(cache_url), connect(cache_url)
    issuer = Issuer()
    processes = [IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60) for cache in (one, two)]
    cached = await asyncio.gather(*(responses.get("token", issuer) for responses in processes for _ in range(20)))
    assert {"alice"} == {response.document["sub"] for response in cached}
    assert 1 == issuer.requests


@pytest.mark.gen_test
async def test_a_response_from_the_shared_cache_keeps_its_age(cache: SharedCache, clock: ManualClock) -> None:
    first, later = (IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60) for _ in range(2))
    issuer = Issuer()
    await first.get("token", issuer)
    await asyncio.gather(*cache._background)
    clock.advance(40)
    assert clock.monotonic() + 20 == (await later.get("token", issuer)).expires_at
    clock.advance(20)
    await later.get("token", issuer)
    assert 2 == issuer.requests


@pytest.mark.parametrize(("ahead", "requests"), [(4.0, 1), (90.0, 2)])
@pytest.mark.gen_test
async def test_a_response_from_a_clock_that_is_ahead_is_not_used_for_longer(
    ahead: float, requests: int, connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    cache, issuer = connect("memory://"), Issuer()
    other = ManualClock(clock.now() + ahead)
    for time in (other, clock):
        await IntrospectionCache(cache, clock=time, secret=SECRET, lifetime=60).get("token", issuer)
        await asyncio.gather(*cache._background)
    assert requests == issuer.requests


@pytest.mark.gen_test
async def test_the_response_to_one_token_is_not_used_for_another(
    connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    with servers.running("redis") as server:
        cache = connect(server.url)
        one, two = (IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60) for _ in range(2))
        await one.get("good", Issuer())
        await asyncio.gather(*cache._background)
        copied = await cache._backend.get(one._key("good"))
        await cache._backend.set(one._key("revoked"), copied)
        inactive = Issuer({"active": False})
        assert (await two.get("revoked", inactive)).document == {"active": False}
        assert 1 == inactive.requests


@pytest.mark.parametrize(
    ("document", "seconds"),
    [
        ({"active": True}, 60),
        ({"active": False}, 10),
        ({"active": True, "exp": 1_000_000_030}, 30),
        ({"active": True, "exp": 999_999_999}, 0),
        ({"active": "true"}, 0),
        ({"active": True, "exp": "soon"}, 0),
        ({"active": True, "exp": 10**400}, 0),
    ],
)
@pytest.mark.gen_test
async def test_a_response_is_cached_for(
    document: dict[str, Any], seconds: float, cache: SharedCache, clock: ManualClock
) -> None:
    clock.advance(1_000_000_000 - clock.now())
    responses, issuer = IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60), Issuer(document)
    await responses.get("token", issuer)
    if seconds:
        clock.advance(seconds - 0.5)
        await responses.get("token", issuer)
        assert 1 == issuer.requests
        clock.advance(0.5)
    await responses.get("token", issuer)
    assert 2 == issuer.requests


@pytest.mark.gen_test
async def test_cache_keys_contain_no_token_and_differ_between_clients(cache: SharedCache, clock: ManualClock) -> None:
    mine, theirs = (IntrospectionCache(cache, clock=clock, secret=secret, lifetime=60) for secret in (b"a", b"b"))
    issuer = Issuer()
    await mine.get("a-token", issuer)
    await theirs.get("a-token", issuer)
    assert 2 == issuer.requests
    assert not any("a-token" in key for key in [*mine._memory, *theirs._memory])


@pytest.mark.gen_test
async def test_a_failure_reaches_all_callers_and_is_not_cached(responses: IntrospectionCache) -> None:
    issuer = Issuer(fails=True)
    results = await asyncio.gather(*(responses.get("token", issuer) for _ in range(5)), return_exceptions=True)
    assert {IssuerUnavailable} == {type(result) for result in results}
    issuer.fails = False
    await responses.get("token", issuer)
    assert 2 == issuer.requests


@pytest.mark.gen_test
async def test_a_cancelled_caller_does_not_cancel_the_request(responses: IntrospectionCache) -> None:
    issuer = Issuer()
    first, second = (asyncio.ensure_future(responses.get("token", issuer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).document == ACTIVE
    assert 1 == issuer.requests


@pytest.mark.gen_test
async def test_a_lock_whose_holder_died_expires(
    cache: SharedCache, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.introspection.LOCK_LIFETIME", 0.1)
    responses, issuer = IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60), Issuer()
    assert (None, True) == await cache.get_or_lock(responses._key("token"), seconds=5)
    await responses.get("token", issuer)
    assert 1 == issuer.requests


@pytest.mark.parametrize("value", [[], {"response": 1, "at": 1}, {"response": {}, "at": "x"}, "text", 7])
@pytest.mark.gen_test
async def test_a_malformed_value_in_the_shared_cache_is_a_miss(
    value: Any, cache: SharedCache, clock: ManualClock
) -> None:
    responses, issuer = IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60), Issuer()
    cache.put(responses._key("token"), value, seconds=60)
    await asyncio.gather(*cache._background)
    await responses.get("token", issuer)
    assert 1 == issuer.requests


@pytest.mark.gen_test
async def test_a_deleted_response_is_requested_again(responses: IntrospectionCache, cache: SharedCache) -> None:
    issuer = Issuer()
    await responses.get("token", issuer)
    await asyncio.gather(*cache._background)
    responses.delete("token")
    await asyncio.gather(*cache._background)
    await responses.get("token", issuer)
    assert 2 == issuer.requests


@pytest.mark.gen_test
async def test_a_flood_of_tokens_uses_bounded_memory(
    clock: ManualClock, connect: Callable[[str], SharedCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.introspection.CAPACITY", 5)
    responses, issuer = IntrospectionCache(connect("memory://"), clock=clock, secret=SECRET, lifetime=60), Issuer()
    for number in range(20):
        await responses.get(str(number), issuer)
    assert 5 == len(responses._memory)


@pytest.mark.gen_test
async def test_closing_cancels_pending_requests(responses: IntrospectionCache) -> None:
    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    request = asyncio.ensure_future(responses.get("token", never))
    await asyncio.sleep(0.01)
    await responses.close()
    with pytest.raises(asyncio.CancelledError):
        await request
