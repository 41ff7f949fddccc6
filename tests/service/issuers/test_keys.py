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
async def test_concurrent_callers_share_one_discovery_and_one_key_fetch(
    keys: RemoteKeySet, fake_issuer: RunningIssuer
) -> None:
    kid = _active(fake_issuer)
    assert [[kid]] * 500 == await asyncio.gather(*(_kids(keys, kid) for _ in range(500)))
    assert (1, 1) == (fake_issuer.requests("discovery").count, fake_issuer.requests("keys").count)


@pytest.mark.gen_test
async def test_a_rotated_key_is_fetched_at_once(keys: RemoteKeySet, fake_issuer: RunningIssuer) -> None:
    await _kids(keys, _active(fake_issuer))
    fake_issuer.rotate()
    fake_issuer.rotate()  # the active key was not published at the first fetch
    new = _active(fake_issuer)
    assert [new] == await _kids(keys, new)
    assert 2 == fake_issuer.requests("keys").count


@pytest.mark.gen_test
async def test_a_withdrawn_key_is_unknown_once_the_copy_is_stale(
    keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    old = _active(fake_issuer)
    assert [old] == await _kids(keys, old)
    fake_issuer.rotate()
    fake_issuer.withdraw(old)
    assert [old] == await _kids(keys, old)
    clock.advance(3600)
    with pytest.raises(InvalidToken) as exc_info:
        await _kids(keys, old)
    assert Reason.UNKNOWN_KEY is exc_info.value.reason


@pytest.mark.gen_test
async def test_a_forced_refresh_withdraws_a_key_at_once(keys: RemoteKeySet, fake_issuer: RunningIssuer) -> None:
    (old,) = await keys.select(algorithm="RS256", kid=_active(fake_issuer))
    assert old.kid is not None
    fake_issuer.rotate()
    fake_issuer.withdraw(old.kid)
    assert old.kid not in {key.kid for key in (await keys.refresh_now()).keys}
    assert not keys.is_current(old)


@pytest.mark.gen_test
async def test_cached_keys_stay_usable_during_an_outage(
    keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    kid = _active(fake_issuer)
    await _kids(keys, kid)
    fake_issuer.fail("keys", status=500)
    fake_issuer.fail("discovery", status=500)
    clock.advance(3600 * 12)
    assert [kid] == await _kids(keys, kid)
    with pytest.raises(IssuerUnavailable, match="500"):
        await _kids(keys, "unknown")


@pytest.mark.parametrize("body", [{"keys": []}, {"keys": [{"kty": "AKP"}]}, {}, {"keys": "none"}])
@pytest.mark.gen_test
async def test_a_key_set_without_a_usable_key_does_not_replace_a_good_one(
    body: dict[str, object], keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    kid = _active(fake_issuer)
    await _kids(keys, kid)
    fake_issuer.fail("keys", status=200, body=body)
    clock.advance(3601)
    assert [kid] == await _kids(keys, kid)


@pytest.mark.gen_test
async def test_a_cold_start_during_an_outage_recovers_by_itself(
    keys: RemoteKeySet, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    fake_issuer.fail("discovery", drop=True)
    with pytest.raises(IssuerUnavailable):
        await keys.check_ready()
    fake_issuer.clear_faults()
    clock.advance(2)
    await keys.check_ready()


@pytest.mark.gen_test
async def test_skipped_keys_are_logged_once(
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
    (record,) = (record for record in caplog.records if record.msg.startswith("skipped key"))
    assert (f"{fake_issuer.issuer_url()}/v1/keys", "key 1: kty is 'AKP'; supported are RSA, EC, OKP") == (
        vars(record)["url"],
        vars(record)["reason"],
    )
    await keys.close()


@pytest.mark.gen_test
async def test_metadata_without_jwks_uri_raises_issuer_unavailable(
    keys: RemoteKeySet, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", status=200, body={"issuer": fake_issuer.issuer_url()})
    with pytest.raises(IssuerUnavailable, match="no jwks_uri"):
        await keys.check_ready()
