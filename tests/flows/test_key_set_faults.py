"""What the service answers while an issuer is in trouble: the rows of the fault table, over real HTTP.

A *known* token is signed with a key of the last good set, an *unknown* one names a key that has not been fetched.
The issuer's clock and the service's stand still unless a test moves them.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.settings.issuers import IssuerSettings

Rig = Any  # the fixture's class lives in conftest.py, which cannot be imported from

AGE = 3600
"""Seconds for which the fake issuer's key set is kept: its Cache-Control says weeks, and an hour is the ceiling."""


@pytest.mark.gen_test
async def test_row_1_a_healthy_issuer_gets_one_request_per_lifetime(rig: Rig) -> None:
    token = rig.known()
    for _ in range(24 * 4):
        assert 200 == await rig.status(token)
        rig.advance(AGE / 4)
    assert 24 <= rig.fetches() <= 24 / (0.8 * 0.9) + 2


@pytest.mark.gen_test
async def test_row_2_a_new_key_is_fetched_for_its_first_token(rig: Rig) -> None:
    old = rig.known()
    assert 200 == await rig.status(old)
    rig.issuer.rotate()
    rig.issuer.rotate()
    assert [200, 200] == await rig.statuses(rig.known(), rig.known())
    assert 2 == rig.fetches()


@pytest.mark.gen_test
async def test_row_3_a_rotation_a_second_after_the_last_fetch_rejects_no_good_token(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.advance(1)
    rig.issuer.delay_publication()
    rig.issuer.publish_now()
    assert [200] * 20 == await rig.statuses(*[rig.known() for _ in range(20)])
    assert 2 == rig.fetches()


@pytest.mark.gen_test
async def test_row_4_the_third_rotation_in_30_seconds_waits_at_most_10_seconds_for_the_budget(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    for _ in range(3):
        rig.issuer.delay_publication()
        rig.issuer.publish_now()
        token = rig.known()
        status = await rig.status(token)
        if status == 503:
            rig.advance(10)
            status = await rig.status(token)
        assert 200 == status
        rig.advance(5)
    assert rig.fetches() <= 4


@pytest.mark.gen_test
async def test_row_5_a_withdrawn_key_is_rejected_after_one_lifetime_although_its_token_is_cached(rig: Rig) -> None:
    token = rig.known()
    assert 200 == await rig.status(token)
    (kid,) = (key.kid for key in rig.issuer.keys() if key.status == "ACTIVE")
    rig.issuer.rotate()
    rig.issuer.withdraw(kid)
    assert 200 == await rig.status(token)
    rig.advance(AGE)
    assert 401 == await rig.status(token)


@pytest.mark.gen_test(timeout=30)
async def test_row_7_a_flood_of_invented_key_ids_costs_the_budget_and_delays_no_good_token(rig: Rig) -> None:
    good = rig.known()
    flood = [rig.unknown(number) for number in range(50)]
    statuses: list[int] = []
    for round_ in range(60):
        statuses += await rig.statuses(*flood[round_ % 10 :: 10])
        assert 200 == await rig.status(good)
        rig.advance(1)
    assert {401, 503} == set(statuses)
    assert {401} == set(statuses[-50:])  # the last refresh has looked for each of them
    assert rig.fetches() <= 2 + 60 / 10


@pytest.mark.gen_test(timeout=30)
async def test_a_rotated_key_is_never_rejected_while_invented_key_ids_use_up_the_refresh_budget(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    statuses = [await rig.status(rig.unknown(number)) for number in range(5)]
    assert [401, 401, 503, 503, 503] == statuses
    rig.issuer.delay_publication()
    rig.issuer.publish_now()
    new = rig.known()
    assert 503 == await rig.status(new)
    rig.advance(10)
    assert 401 == await rig.status(rig.unknown(99))  # the flood causes the fetch that also brings the new key
    assert 200 == await rig.status(new)


@pytest.mark.gen_test(timeout=30)
async def test_a_key_that_is_published_during_a_refresh_is_not_rejected(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.issuer.fail("keys", times=1, drip=0.0005)  # the response has the keys from before the rotation
    flood = asyncio.create_task(rig.status(rig.unknown()))
    await asyncio.sleep(0.1)
    assert 2 == rig.fetches()
    rig.issuer.delay_publication()
    rig.issuer.publish_now()
    assert 200 == await rig.status(rig.known())
    assert 401 == await flood


@pytest.mark.gen_test
async def test_a_token_with_a_withdrawn_key_stays_rejected_while_the_refresh_budget_is_used_up(rig: Rig) -> None:
    old = rig.known()
    (kid,) = (key.kid for key in rig.issuer.keys() if key.status == "ACTIVE")
    rig.issuer.rotate()
    rig.issuer.withdraw(kid)
    assert [401] * 20 == [await rig.status(old) for _ in range(20)]
    assert rig.fetches() <= 1 + 2
    rig.issuer.delay_publication()
    rig.issuer.publish_now()
    assert 200 == await rig.status(rig.known())  # the repeated token has not used up the budget


@pytest.mark.gen_test
async def test_a_key_that_is_published_after_its_first_token_is_accepted_for_the_second(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.issuer.delay_publication()
    early = rig.known()
    assert 401 == await rig.status(early)
    rig.issuer.publish_now()
    assert 200 == await rig.status(early)


@pytest.mark.gen_test
async def test_row_8_bad_signatures_under_a_real_key_id_cost_one_fetch_and_leave_the_budget_to_others(rig: Rig) -> None:
    good = rig.known()
    assert 200 == await rig.status(good)
    (kid,) = (key.kid for key in rig.issuer.keys() if key.status == "ACTIVE")
    forged = [rig.issuer.token(key="unpublished", header={"kid": kid}) for _ in range(20)]
    assert [401] * 20 == await rig.statuses(*forged)
    assert [401] * 20 == await rig.statuses(*forged)
    assert 2 == rig.fetches()
    for _ in range(2):
        rig.issuer.delay_publication()
        rig.issuer.publish_now()
        assert 200 == await rig.status(rig.known())


@pytest.mark.gen_test
async def test_a_bad_signature_is_rejected_while_the_key_set_is_unavailable(rig: Rig) -> None:
    good = rig.known()
    assert 200 == await rig.status(good)
    (kid,) = (key.kid for key in rig.issuer.keys() if key.status == "ACTIVE")
    rig.issuer.fail("keys", status=500)
    assert 401 == await rig.status(rig.issuer.token(key="unpublished", header={"kid": kid}))
    assert 200 == await rig.status(good)


@pytest.mark.gen_test(timeout=30)
async def test_row_9_a_thundering_herd_on_a_cold_start_costs_one_discovery_and_one_fetch(rig: Rig) -> None:
    assert [200] * 500 == await rig.statuses(*[rig.known()] * 500)
    assert (1, 1) == (rig.issuer.requests("discovery").count, rig.fetches())


TROUBLE: dict[str, dict[str, Any]] = {
    "row 10, a refused connection": {"drop": True},
    "row 15, a reset in the middle": {"truncate": True},
    "row 16, a 500": {"status": 500},
    "row 16, a 503": {"status": 503},
    "row 17, a 429": {"status": 429, "headers": {"Retry-After": "30"}},
    "row 18, a 404": {"status": 404},
    "row 19, a redirect": {"redirect": True},
    "row 20, a page of HTML": {"status": 200, "body": "<html>"},
    "row 20, garbage": {"garbage": True},
    "row 20, UTF-16": {"status": 200, "body": "{\x00}\x00"},
    "row 20, nesting": {"status": 200, "body": '{"keys":' + "[" * 5000 + "]" * 5000 + "}"},
    "row 21, no key at all": {"status": 200, "body": {"keys": []}},
    "row 21, no usable key": {"status": 200, "body": {"keys": [{"kty": "AKP", "kid": "a"}]}},
    "row 23, a huge body": {"huge": True},
    "row 23, a gzip bomb": {"gzip_bomb": True},
}


@pytest.mark.parametrize("fault", TROUBLE.values(), ids=TROUBLE.keys())
@pytest.mark.gen_test(timeout=30)
async def test_known_tokens_survive_an_outage_without_a_401(fault: dict[str, Any], rig: Rig) -> None:
    known = rig.known()
    assert 200 == await rig.status(known)
    rig.issuer.fail("keys", **fault)
    rig.advance(AGE + 1)
    fresh = rig.known()
    assert [200, 200, 503] == [await rig.status(known), await rig.status(fresh), await rig.status(rig.unknown())]
    fetches = rig.fetches()
    for _ in range(10):
        await rig.statuses(known, rig.unknown())
    assert fetches == rig.fetches()
    rig.issuer.clear_faults()
    rig.advance(60)
    assert [200, 401] == [await rig.status(known), await rig.status(rig.unknown())]


@pytest.mark.gen_test(timeout=30)
async def test_row_13_a_hanging_issuer_delays_no_request_with_a_known_key(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = rig.known()
    assert 200 == await rig.status(known)
    monkeypatch.setattr("service.issuers.client.TOTAL_TIMEOUT", 0.3)
    rig.issuer.fail("keys", delay=30)
    rig.advance(AGE - 1)  # renewed in the background
    assert 200 == await rig.status(known)
    assert 503 == await rig.status(rig.unknown())
    assert 200 == await rig.status(known)


@pytest.mark.gen_test(timeout=30)
async def test_row_14_a_body_of_one_byte_a_second_times_out(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.issuers.client.TOTAL_TIMEOUT", 0.3)
    rig.issuer.fail("keys", drip=1.0)
    assert 503 == await rig.status(rig.known())


@pytest.mark.gen_test
async def test_row_18_a_moved_key_set_is_rediscovered(rig: Rig) -> None:
    issuer = rig.issuer.issuer_url()
    moved = {"issuer": issuer, "jwks_uri": f"{rig.issuer.url}/oauth2/default/v1/moved"}
    rig.issuer.fail("discovery", times=1, status=200, body=moved)
    assert 200 == await rig.status(rig.known())


@pytest.mark.gen_test
async def test_row_22_an_unusual_key_is_skipped(rig: Rig, http_client: AsyncHTTPClient) -> None:
    response = await http_client.fetch(f"{rig.issuer.issuer_url()}/v1/keys")
    odd = b'{"keys":[{"kty":"AKP","alg":"ML-DSA-44","kid":"pq","pub":"AA"},{"kty":"RSA"},'
    rig.issuer.fail("keys", status=200, body=(odd + response.body.partition(b"[")[2]).decode())
    assert 200 == await rig.status(rig.known())


@pytest.mark.gen_test
async def test_row_25_keys_are_renewed_while_discovery_is_down(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.issuer.fail("discovery", status=500)
    for _ in range(3):
        rig.advance(AGE + 1)
        assert 200 == await rig.status(rig.known())
    assert 4 == rig.fetches()


@pytest.mark.gen_test
async def test_row_26_metadata_with_another_issuer_is_rejected_and_the_keys_stay(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.issuer.fail(
        "discovery", status=200, body={"issuer": "https://evil.example", "jwks_uri": "https://evil.example"}
    )
    rig.advance(AGE + 1)
    assert 200 == await rig.status(rig.known())


@pytest.mark.parametrize(("value", "age"), [("no-store", 60), ("max-age=0", 60), ("max-age=315360000", 3600)])
@pytest.mark.gen_test
async def test_row_28_max_age_is_limited_to_a_minute_and_an_hour(
    value: str, age: int, rig: Rig, http_client: AsyncHTTPClient
) -> None:
    body = (await http_client.fetch(f"{rig.issuer.issuer_url()}/v1/keys")).body.decode()
    rig.issuer.clear_requests()
    rig.issuer.fail("keys", status=200, headers={"Cache-Control": value}, body=body)
    token = rig.known()
    assert 200 == await rig.status(token)
    rig.advance(age * 0.7)
    assert 200 == await rig.status(token)
    assert 1 == rig.fetches()
    rig.advance(age * 0.3)
    assert 200 == await rig.status(token)
    assert 2 == rig.fetches()


@pytest.mark.gen_test
async def test_row_29_after_stale_if_error_it_is_503_and_not_401(rig: Rig) -> None:
    token = rig.known()
    assert 200 == await rig.status(token)
    rig.issuer.fail("keys", status=500)
    rig.advance(AGE + 24 * 3600 - 60)
    assert 200 == await rig.status(token)
    rig.advance(120)
    assert [503, 503] == [await rig.status(token), await rig.status(token, "/readyz")]


@pytest.mark.gen_test
async def test_row_30_a_cold_start_without_an_issuer_serves_public_routes_and_recovers_within_two_seconds(
    rig: Rig,
) -> None:
    rig.issuer.fail("discovery", drop=True)
    token = rig.known()
    for _ in range(15):
        assert 503 == await rig.status(token)
        rig.advance(40)
    assert [200, 200, 503] == [await rig.status(token, path) for path in ("/api/hello", "/healthz", "/readyz")]
    rig.issuer.clear_faults()
    rig.advance(2)
    assert [200, 200] == [await rig.status(token), await rig.status(token, "/readyz")]


@pytest.mark.gen_test(timeout=30)
async def test_row_32_a_flapping_issuer_never_causes_a_401(rig: Rig) -> None:
    token = rig.known()
    statuses = []
    for second in range(120):
        rig.issuer.clear_faults()
        if second % 2 == 0:
            rig.issuer.fail("keys", status=500)
        statuses.append(await rig.status(token))
        rig.advance(1)
    assert {200, 503} >= set(statuses)
    assert 200 == statuses[-1]


@pytest.mark.gen_test
async def test_row_40_claims_use_the_wall_clock_and_ages_the_monotonic_clock(
    fake_issuer: RunningIssuer, manual_clock: ManualClock, rig: Rig
) -> None:
    token = fake_issuer.token(expires_in=1800)
    assert 200 == await rig.status(token)
    manual_clock._now += 3600
    assert 401 == await rig.status(token)
    manual_clock._now -= 3600
    assert 200 == await rig.status(token)
    assert 1 == rig.fetches()


@pytest.mark.gen_test
async def test_row_11_and_12_an_unresolvable_name_and_a_silent_address_are_503(
    http_client: AsyncHTTPClient, listen: Callable[[ResourceServerApplication], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.issuers.client.CONNECT_TIMEOUT", 0.3)
    hole = socket.socket()
    hole.bind(("127.0.0.1", 0))
    hole.listen(0)
    clients = [socket.socket() for _ in range(4)]  # fill the backlog, so that no further connection is accepted
    for client in clients:
        client.settimeout(0)
        client.connect_ex(hole.getsockname())
    for issuer in ("https://issuer.invalid/oauth2/default", f"http://127.0.0.1:{hole.getsockname()[1]}/oauth2/default"):
        app = make_app(Settings(issuer=issuer, audience=("api://default",)))
        url = listen(app)
        response = await http_client.fetch(f"{url}/readyz", raise_error=False)
        assert 503 == response.code
        assert {"status": "not ready"} == json.loads(response.body)
        with pytest.raises(IssuerUnavailable, match=re.escape(issuer)):
            await app.authenticators.check_ready()
    for client in (*clients, hole):
        client.close()


@pytest.mark.gen_test
async def test_row_27_a_changed_jwks_uri_is_used(rig: Rig) -> None:
    issuer, elsewhere = rig.issuer.issuer_url(), f"{rig.issuer.issuer_url('partner')}/v1/keys"
    assert 200 == await rig.status(rig.known())
    rig.issuer.fail("discovery", status=200, body={"issuer": issuer, "jwks_uri": elsewhere})
    moved = rig.issuer.token(server="partner", aud="api://default", claims={"iss": issuer}, expires_in=10 * 24 * 3600)
    assert 401 == await rig.status(moved)
    rig.advance(AGE + 1)
    assert 200 == await rig.status(moved)


async def _replace_key(rig: Rig) -> str:
    """Replace the issuer's key under its key ID, and return a token that the new key has signed."""
    (kid,) = (key.kid for key in rig.issuer.keys() if key.status == "ACTIVE")
    (other,) = (key.kid for key in rig.issuer.keys("partner") if key.status == "ACTIVE")
    published = (await rig.client.fetch(f"{rig.issuer.issuer_url('partner')}/v1/keys")).body.decode()
    rig.issuer.fail("keys", server="default", status=200, body=published.replace(other, kid))
    token: str = rig.issuer.token(
        server="partner",
        aud="api://default",
        claims={"iss": rig.issuer.issuer_url()},
        header={"kid": kid},
        expires_in=10 * 24 * 3600,
    )
    return token


@pytest.mark.gen_test
async def test_row_6_a_key_that_is_replaced_under_its_key_id_is_fetched_for_its_first_token(rig: Rig) -> None:
    old = rig.known()
    assert 200 == await rig.status(old)
    token = await _replace_key(rig)
    assert [200] * 20 == await rig.statuses(*[token] * 20)
    assert 401 == await rig.status(old)


@pytest.mark.gen_test
async def test_a_replaced_key_is_fetched_within_ten_seconds_among_forged_signatures(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    (kid,) = (key.kid for key in rig.issuer.keys() if key.status == "ACTIVE")
    forged = rig.issuer.token(key="unpublished", header={"kid": kid})
    assert [401] * 3 == [await rig.status(forged) for _ in range(3)]
    token = await _replace_key(rig)
    rig.advance(10)
    assert [401, 200] == [await rig.status(forged), await rig.status(token)]


@pytest.mark.gen_test
async def test_row_33_an_unavailable_issuer_does_not_affect_the_other(
    fake_issuer: RunningIssuer, http_client: AsyncHTTPClient, listen: Callable[[ResourceServerApplication], str]
) -> None:
    partner = IssuerSettings(issuer=fake_issuer.issuer_url("partner"), audience=("api://partner",))
    app = make_app(Settings(issuer=fake_issuer.issuer_url(), issuers=(partner,)))
    url = f"{listen(app)}/api/whoami"
    fake_issuer.fail("discovery", server="partner", status=500)
    for token, status in [(fake_issuer.token(), 200), (fake_issuer.token(server="partner"), 503)] * 2:
        headers = {"Authorization": f"Bearer {token}"}
        assert status == (await http_client.fetch(url, headers=headers, raise_error=False)).code
