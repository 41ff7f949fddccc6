from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from service.caches.introspection import IntrospectionCache
from service.caches.shared import SharedCache
from service.clock import ManualClock
from service.errors import IssuerUnavailable

SECRET = b"s" * 32
ACTIVE = {"active": True, "sub": "alice"}


class Issuer:
    """Answers questions, and counts them."""

    def __init__(self, document: dict[str, Any] | None = None, *, fails: bool = False) -> None:
        self.document = document or ACTIVE
        self.fails = fails
        self.asked = 0

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails:
            raise IssuerUnavailable("down")
        return self.document


@pytest.fixture
def answers(cache: SharedCache, clock: ManualClock) -> IntrospectionCache:
    return IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60)


@pytest.mark.gen_test
async def test_one_question_serves_all_who_wait(answers: IntrospectionCache) -> None:
    issuer = Issuer()
    kept = await asyncio.gather(*(answers.get("token", issuer) for _ in range(100)))
    assert {True} == {one.document["active"] for one in kept}
    assert 1 == issuer.asked


@pytest.mark.gen_test
async def test_another_process_reads_what_one_was_told(
    cache_url: str, connect: Callable[[str], SharedCache], clock: ManualClock
) -> None:
    if cache_url == "memory://":
        one = two = connect(cache_url)
    else:
        one, two = connect(cache_url), connect(cache_url)
    issuer = Issuer()
    processes = [IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60) for cache in (one, two)]
    kept = await asyncio.gather(*(answers.get("token", issuer) for answers in processes for _ in range(20)))
    assert {"alice"} == {one.document["sub"] for one in kept}
    assert 1 == issuer.asked


@pytest.mark.gen_test
async def test_an_answer_read_from_the_others_is_as_old_as_it_is(cache: SharedCache, clock: ManualClock) -> None:
    first, later = (IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60) for _ in range(2))
    issuer = Issuer()
    await first.get("token", issuer)
    await asyncio.gather(*cache._background)
    clock.advance(40)
    assert clock.monotonic() + 20 == (await later.get("token", issuer)).expires_at
    clock.advance(20)
    await later.get("token", issuer)
    assert 2 == issuer.asked


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
async def test_an_answer_is_believed_for(
    document: dict[str, Any], seconds: float, cache: SharedCache, clock: ManualClock
) -> None:
    clock.advance(1_000_000_000 - clock.now())
    answers, issuer = IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60), Issuer(document)
    await answers.get("token", issuer)
    if seconds:
        clock.advance(seconds - 0.5)
        await answers.get("token", issuer)
        assert 1 == issuer.asked
        clock.advance(0.5)
    await answers.get("token", issuer)
    assert 2 == issuer.asked


@pytest.mark.gen_test
async def test_no_token_is_a_name_and_no_two_clients_meet(cache: SharedCache, clock: ManualClock) -> None:
    mine, theirs = (IntrospectionCache(cache, clock=clock, secret=secret, lifetime=60) for secret in (b"a", b"b"))
    issuer = Issuer()
    await mine.get("a-token", issuer)
    await theirs.get("a-token", issuer)
    assert 2 == issuer.asked
    assert not any("a-token" in name for name in [*mine._memory, *theirs._memory])


@pytest.mark.gen_test
async def test_a_failure_reaches_all_who_wait_and_is_kept_by_nobody(answers: IntrospectionCache) -> None:
    issuer = Issuer(fails=True)
    results = await asyncio.gather(*(answers.get("token", issuer) for _ in range(5)), return_exceptions=True)
    assert {IssuerUnavailable} == {type(result) for result in results}
    issuer.fails = False
    await answers.get("token", issuer)
    assert 2 == issuer.asked


@pytest.mark.gen_test
async def test_a_waiter_that_hangs_up_takes_the_answer_from_nobody(answers: IntrospectionCache) -> None:
    issuer = Issuer()
    first, second = (asyncio.ensure_future(answers.get("token", issuer)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).document == ACTIVE
    assert 1 == issuer.asked


@pytest.mark.gen_test
async def test_who_dies_with_a_claim_holds_nobody_up_for_ever(
    cache: SharedCache, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.introspection.LOCK_LIFETIME", 0.1)
    answers, issuer = IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60), Issuer()
    assert (None, True) == await cache.get_or_lock(answers._key("token"), seconds=5)
    await answers.get("token", issuer)
    assert 1 == issuer.asked


@pytest.mark.parametrize("value", [[], {"answer": 1, "at": 1}, {"answer": {}, "at": "x"}, "text", 7])
@pytest.mark.gen_test
async def test_what_is_no_answer_in_the_shared_cache_is_not_believed(
    value: Any, cache: SharedCache, clock: ManualClock
) -> None:
    answers, issuer = IntrospectionCache(cache, clock=clock, secret=SECRET, lifetime=60), Issuer()
    cache.put(answers._key("token"), value, seconds=60)
    await asyncio.gather(*cache._background)
    await answers.get("token", issuer)
    assert 1 == issuer.asked


@pytest.mark.gen_test
async def test_a_dropped_answer_is_asked_for_again(answers: IntrospectionCache, cache: SharedCache) -> None:
    issuer = Issuer()
    await answers.get("token", issuer)
    await asyncio.gather(*cache._background)
    answers.delete("token")
    await asyncio.gather(*cache._background)
    await answers.get("token", issuer)
    assert 2 == issuer.asked


@pytest.mark.gen_test
async def test_a_flood_of_tokens_leaves_a_bounded_memory(
    clock: ManualClock, connect: Callable[[str], SharedCache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.caches.introspection.CAPACITY", 5)
    answers, issuer = IntrospectionCache(connect("memory://"), clock=clock, secret=SECRET, lifetime=60), Issuer()
    for number in range(20):
        await answers.get(str(number), issuer)
    assert 5 == len(answers._memory)


@pytest.mark.gen_test
async def test_closing_abandons_the_questions_under_way(answers: IntrospectionCache) -> None:
    async def never() -> dict[str, Any]:
        await asyncio.Event().wait()
        raise AssertionError

    waiting = asyncio.ensure_future(answers.get("token", never))
    await asyncio.sleep(0.01)
    await answers.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
