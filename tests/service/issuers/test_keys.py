from __future__ import annotations

import asyncio

import pytest

from fakeissuer import RunningIssuer
from service.clock import ManualClock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.issuers.client import JSONClient
from service.issuers.keys import RemoteKeySet


@pytest.fixture
def keys(fake_issuer: RunningIssuer, client: JSONClient, clock: ManualClock) -> RemoteKeySet:
    return RemoteKeySet(fake_issuer.issuer_url(), client=client, clock=clock)


def _active(issuer: RunningIssuer) -> str:
    return next(key.kid for key in issuer.keys() if key.status == "ACTIVE")


async def _kids(keys: RemoteKeySet, kid: str) -> list[str | None]:
    return [key.kid for key in await keys.select(algorithm="RS256", kid=kid)]


@pytest.mark.gen_test
async def test_a_herd_on_a_cold_start_costs_one_discovery_and_one_key_fetch(
    keys: RemoteKeySet, fake_issuer: RunningIssuer
) -> None:
    kid = _active(fake_issuer)
    assert [[kid]] * 500 == await asyncio.gather(*(_kids(keys, kid) for _ in range(500)))
    assert (1, 1) == (fake_issuer.requests("discovery").count, fake_issuer.requests("keys").count)


@pytest.mark.gen_test
async def test_a_rotation_is_followed_at_once(keys: RemoteKeySet, fake_issuer: RunningIssuer) -> None:
    await _kids(keys, _active(fake_issuer))
    fake_issuer.rotate()
    fake_issuer.rotate()  # the key that signs now was not published when we asked
    new = _active(fake_issuer)
    assert [new] == await _kids(keys, new)
    assert 2 == fake_issuer.requests("keys").count


@pytest.mark.gen_test
async def test_a_withdrawn_key_is_gone_after_one_age(
    keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    old = _active(fake_issuer)
    assert [old] == await _kids(keys, old)
    fake_issuer.rotate()
    fake_issuer.withdraw(old)
    assert [old] == await _kids(keys, old)
    clock.advance(3600)
    with pytest.raises(InvalidToken) as refusal:
        await _kids(keys, old)
    assert Reason.UNKNOWN_KEY is refusal.value.reason


@pytest.mark.gen_test
async def test_an_outage_leaves_the_known_keys(
    keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    kid = _active(fake_issuer)
    await _kids(keys, kid)
    fake_issuer.fail("keys", status=500)
    fake_issuer.fail("discovery", status=500)
    clock.advance(3600 * 12)
    assert [kid] == await _kids(keys, kid)
    with pytest.raises(IssuerUnavailable, match="500"):
        await _kids(keys, "made-up")


@pytest.mark.parametrize("body", [{"keys": []}, {"keys": [{"kty": "AKP"}]}, {}, {"keys": "none"}])
@pytest.mark.gen_test
async def test_a_set_without_a_usable_key_never_replaces_a_good_one(
    body: dict[str, object], keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    kid = _active(fake_issuer)
    await _kids(keys, kid)
    fake_issuer.fail("keys", status=200, body=body)
    clock.advance(3601)
    assert [kid] == await _kids(keys, kid)


@pytest.mark.gen_test
async def test_a_cold_start_without_an_issuer_recovers_by_itself(
    keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    fake_issuer.fail("discovery", drop=True)
    with pytest.raises(IssuerUnavailable):
        await keys.check_ready()
    fake_issuer.clear_faults()
    clock.advance(2)
    await keys.check_ready()


@pytest.mark.gen_test
async def test_says_once_which_keys_are_not_used(
    keys: RemoteKeySet,
    fake_issuer: RunningIssuer,
    clock: ManualClock,
    client: JSONClient,
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = (await client.get(f"{fake_issuer.issuer_url()}/v1/keys")).document["keys"]
    fake_issuer.fail("keys", status=200, body={"keys": [{"kty": "AKP"}, *good]})
    for _ in range(3):
        await keys.check_ready()
        clock.advance(3601)
    assert 1 == caplog.text.count("skipped key of")
    await keys.close()


@pytest.mark.gen_test
async def test_an_issuer_without_a_key_set_verifies_nothing(keys: RemoteKeySet, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("discovery", status=200, body={"issuer": fake_issuer.issuer_url()})
    with pytest.raises(IssuerUnavailable, match="no jwks_uri"):
        await keys.check_ready()
