from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import pytest

from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.issuers.breaker import Breaker, CredentialsRejected
from service.issuers.failures import NoFreeConnection, UnexpectedStatus

Outcome = int | IssuerUnavailable


class Endpoint:
    """An introspection endpoint with one status for a token of our own, and counters."""

    def __init__(self) -> None:
        self.own: Outcome = 200
        self.probes = 0
        self.requests = 0
        self.responding = asyncio.Event()
        self.responding.set()

    async def probe(self) -> None:
        self.probes += 1
        await self.responding.wait()
        _raise(self.own)

    def request(self, outcome: Outcome) -> Callable[[], Awaitable[str]]:
        async def send() -> str:
            self.requests += 1
            _raise(outcome)
            return "response"

        return send


def _raise(outcome: Outcome) -> None:
    if isinstance(outcome, IssuerUnavailable):
        raise outcome
    if outcome != 200:
        raise UnexpectedStatus("POST", "https://issuer.example/introspect", outcome, retry_after=30)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def breaker(endpoint: Endpoint, clock: ManualClock) -> Breaker:
    return Breaker("https://issuer.example", probe=endpoint.probe, clock=clock)


@pytest.fixture
def send(breaker: Breaker, endpoint: Endpoint) -> Callable[[str, Outcome], Awaitable[str]]:
    """Return a function that sends a request about a token, and returns the response or the error's name."""

    async def sending(token: str, outcome: Outcome = 200) -> str:
        try:
            return await breaker.run(token, endpoint.request(outcome))
        except IssuerUnavailable as exc:
            return type(exc).__name__

    return sending


Send = Callable[..., Awaitable[str]]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.gen_test
async def test_a_rejected_token_causes_a_probe_and_pauses_nothing_if_the_probe_succeeds(
    status: int, send: Send, endpoint: Endpoint, breaker: Breaker
) -> None:
    assert "UnexpectedStatus" == await send("a", status)
    assert "response" == await send("b")
    assert (1, None) == (endpoint.probes, breaker.failure)


@pytest.mark.gen_test
async def test_a_rejected_probe_pauses_ten_seconds(send: Send, endpoint: Endpoint, clock: ManualClock) -> None:
    endpoint.own = 401
    assert "CredentialsRejected" == await send("a", 401)
    clock.advance(9.9)
    assert "IssuerUnavailable" == await send("b")
    clock.advance(0.1)
    assert "response" == await send("b")


@pytest.mark.gen_test
async def test_failed_tokens_cause_a_probe_by_their_number_and_their_share(send: Send, endpoint: Endpoint) -> None:
    for number in range(7):
        await send(f"good-{number}")
    for number in range(6):
        await send(f"bad-{number}", 500)
    assert 0 == endpoint.probes
    await send("bad-6", 500)
    assert 1 == endpoint.probes


@pytest.mark.gen_test
async def test_one_token_counts_once(send: Send, endpoint: Endpoint, clock: ManualClock) -> None:
    for number in range(4):
        assert "response" == await send(f"good-{number}")
        assert "UnexpectedStatus" == await send("bad", 500)
        clock.advance(3)
    assert (8, 0) == (endpoint.requests, endpoint.probes)


@pytest.mark.gen_test
async def test_old_outcomes_do_not_count(send: Send, endpoint: Endpoint, clock: ManualClock) -> None:
    for number in range(10):
        await send(f"good-{number}")
        await send(f"bad-{number}", 500)
        clock.advance(5)
    assert 0 == endpoint.probes


@pytest.mark.parametrize("tokens", [["a", "b"], ["a", "a"]], ids=["two tokens", "one token, twice"])
@pytest.mark.gen_test
async def test_an_outage_is_noticed_although_there_are_few_tokens(
    tokens: list[str], send: Send, endpoint: Endpoint, breaker: Breaker, clock: ManualClock
) -> None:
    endpoint.own = 503
    await send("before")
    for token in tokens:
        clock.advance(30)
        assert "UnexpectedStatus" == await send(token, 503)
    assert (1, 503) == (endpoint.probes, getattr(breaker.failure, "status", None))
    clock.advance(3600)
    assert breaker.failure is not None  # until a request has succeeded
    await send("after")
    assert breaker.failure is None


@pytest.mark.gen_test
async def test_the_only_token_that_fails_is_no_outage(
    send: Send, endpoint: Endpoint, breaker: Breaker, clock: ManualClock
) -> None:
    for _ in range(6):
        await send("bad", 500)
        clock.advance(30)
    assert (3, None) == (endpoint.probes, breaker.failure)


@pytest.mark.gen_test
async def test_a_rate_limit_is_no_failure_after_its_time(send: Send, breaker: Breaker, clock: ManualClock) -> None:
    await send("a", 429)
    clock.advance(29.9)
    assert breaker.failure is not None
    clock.advance(0.1)
    assert breaker.failure is None


@pytest.mark.gen_test
async def test_only_the_last_hundred_tokens_count(send: Send, endpoint: Endpoint, breaker: Breaker) -> None:
    for number in range(300):
        await send(f"good-{number}")
    assert 100 == len(breaker._outcomes)
    for number in range(50):
        await send(f"bad-{number}", 500)
    assert 1 == endpoint.probes


@pytest.mark.gen_test
async def test_a_failing_probe_pauses_as_long_as_it_requires(
    send: Send, endpoint: Endpoint, clock: ManualClock
) -> None:
    endpoint.own = 503  # with a Retry-After of 30 s
    for number in range(3):
        await send(f"bad-{number}", IssuerUnavailable("timed out"))
    requests = endpoint.requests
    clock.advance(29.9)
    assert "IssuerUnavailable" == await send("good")
    assert requests == endpoint.requests
    clock.advance(0.1)
    assert "response" == await send("good")


@pytest.mark.gen_test
async def test_after_a_pause_one_request_is_sent_and_others_fail_until_it_ends(
    endpoint: Endpoint, breaker: Breaker, send: Send, clock: ManualClock
) -> None:
    endpoint.own = IssuerUnavailable("timed out")
    for number in range(3):
        await send(f"bad-{number}", 500)
    clock.advance(2)
    responding = asyncio.Event()

    async def slow() -> str:
        await responding.wait()
        return "response"

    attempt = asyncio.create_task(breaker.run("good", slow))
    await asyncio.sleep(0)
    assert "IssuerUnavailable" == await send("other")
    responding.set()
    assert "response" == await attempt
    assert "response" == await send("other")


@pytest.mark.gen_test
async def test_concurrent_failures_share_one_probe(send: Send, endpoint: Endpoint, breaker: Breaker) -> None:
    endpoint.responding.clear()
    failures = [asyncio.ensure_future(send(f"bad-{number}", 403)) for number in range(8)]
    await asyncio.sleep(0.01)
    endpoint.responding.set()
    assert {"UnexpectedStatus"} == set(await asyncio.gather(*failures))
    assert 1 == endpoint.probes


@pytest.mark.gen_test
async def test_probes_are_limited(send: Send, endpoint: Endpoint, clock: ManualClock) -> None:
    for number in range(100):
        await send(f"bad-{number}", 403)
    assert 10 == endpoint.probes
    clock.advance(1)
    await send("bad", 403)
    assert 11 == endpoint.probes


@pytest.mark.gen_test
async def test_a_rate_limit_pauses_without_a_probe_whatever_other_requests_return(
    send: Send, endpoint: Endpoint, breaker: Breaker, clock: ManualClock
) -> None:
    responding = asyncio.Event()

    async def slow() -> str:
        await responding.wait()
        return "response"

    earlier = asyncio.create_task(breaker.run("earlier", slow))
    await asyncio.sleep(0)
    assert "UnexpectedStatus" == await send("a", 429)
    responding.set()
    assert "response" == await earlier
    assert "IssuerUnavailable" == await send("b")
    assert 0 == endpoint.probes
    clock.advance(30)
    assert {"response"} == {await send("a"), await send("b")}


@pytest.mark.gen_test
async def test_a_request_that_got_no_connection_counts_for_nothing(send: Send, endpoint: Endpoint) -> None:
    for number in range(5):
        assert "NoFreeConnection" == await send(f"a-{number}", NoFreeConnection("no connection was free"))
    assert "response" == await send("a-1")
    endpoint.own = NoFreeConnection("no connection was free")
    assert "UnexpectedStatus" == await send("b", 401)
    assert "response" == await send("c")


@pytest.mark.gen_test
async def test_rejected_credentials_of_our_own_settings_need_no_probe(
    send: Send, endpoint: Endpoint, breaker: Breaker
) -> None:
    assert "CredentialsRejected" == await send("a", CredentialsRejected("no method", retry_after=10))
    assert isinstance(breaker.failure, CredentialsRejected)
    assert 0 == endpoint.probes


@pytest.mark.gen_test
async def test_a_flood_of_failing_tokens_does_not_fill_the_log(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(200):
        await send(f"bad-{number}", (400, 403, 500)[number % 3])
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) <= 5


@pytest.mark.gen_test
async def test_closing_cancels_a_probe(send: Send, endpoint: Endpoint, breaker: Breaker) -> None:
    await breaker.close()
    endpoint.responding.clear()
    request = asyncio.ensure_future(send("bad", 403))
    await asyncio.sleep(0.01)
    await breaker.close()
    assert isinstance((await asyncio.gather(request, return_exceptions=True))[0], asyncio.CancelledError)
