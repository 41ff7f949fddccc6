from __future__ import annotations

import asyncio
from typing import Any

import pytest

from service.clock import ManualClock
from service.errors import IssuerUnavailable, TooManyRequests
from service.issuers.peer_limits import MAX_CONCURRENT, PeerLimits


async def _active() -> dict[str, Any]:
    return {"active": True}


async def _inactive() -> dict[str, Any]:
    return {"active": False}


async def _fails() -> dict[str, Any]:
    raise IssuerUnavailable("down")


@pytest.fixture
def limits(clock: ManualClock) -> PeerLimits:
    return PeerLimits(per_minute=3, clock=clock)


@pytest.mark.gen_test
async def test_an_address_may_cause_the_limit_in_a_row_and_then_one_per_interval(
    limits: PeerLimits, clock: ManualClock
) -> None:
    for _ in range(3):
        await limits.run("192.0.2.1", _inactive)
    with pytest.raises(TooManyRequests) as exc_info:
        await limits.run("192.0.2.1", _inactive)
    assert 20 == exc_info.value.retry_after
    clock.advance(20)
    await limits.run("192.0.2.1", _inactive)


@pytest.mark.gen_test
async def test_active_tokens_do_not_count_and_failed_requests_do(limits: PeerLimits) -> None:
    for _ in range(10):
        await limits.run("192.0.2.1", _active)
    for _ in range(3):
        with pytest.raises(IssuerUnavailable):
            await limits.run("192.0.2.1", _fails)
    with pytest.raises(TooManyRequests):
        await limits.run("192.0.2.1", _active)


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("", "0.0.0.0", False),
        ("a socket", "a socket", True),
    ],
)
@pytest.mark.gen_test
async def test_the_addresses_of_one_client_share_a_limit(
    first: str, second: str, same: object, limits: PeerLimits
) -> None:
    for _ in range(3):
        await limits.run(first, _inactive)
    try:
        await limits.run(second, _inactive)
    except TooManyRequests:
        assert same
    else:
        assert not same


@pytest.mark.gen_test
async def test_without_an_address_or_a_limit_nothing_is_limited(limits: PeerLimits, clock: ManualClock) -> None:
    for _ in range(10):
        await limits.run(None, _inactive)
        await PeerLimits(per_minute=0, clock=clock).run("192.0.2.1", _inactive)


@pytest.mark.gen_test
async def test_requests_of_one_address_wait_for_each_other(clock: ManualClock) -> None:
    limits = PeerLimits(per_minute=100, clock=clock)
    running = most = 0

    async def slow() -> dict[str, Any]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return {"active": False}

    await asyncio.gather(*(limits.run("192.0.2.1", slow) for _ in range(50)))
    assert MAX_CONCURRENT == most


@pytest.mark.gen_test
async def test_a_request_that_waits_too_long_is_rejected(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.issuers.peer_limits.TOTAL_TIMEOUT", 0.01)
    limits = PeerLimits(per_minute=100, clock=clock)
    responding = asyncio.Event()

    async def slow() -> dict[str, Any]:
        await responding.wait()
        return {"active": False}

    hanging = [asyncio.create_task(limits.run("192.0.2.1", slow)) for _ in range(MAX_CONCURRENT)]
    await asyncio.sleep(0)
    with pytest.raises(TooManyRequests, match="took more than"):
        await limits.run("192.0.2.1", slow)
    responding.set()
    await asyncio.gather(*hanging)
    await limits.run("192.0.2.1", slow)


@pytest.mark.gen_test
async def test_a_flood_of_addresses_uses_bounded_memory(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.issuers.peer_limits._MAX_PEERS", 5)
    limits = PeerLimits(per_minute=3, clock=clock)
    for number in range(20):
        await limits.run(f"192.0.2.{number}", _inactive)
    assert 5 == len(limits._peers)
