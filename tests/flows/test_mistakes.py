"""The mistakes that other resource servers made, one test for each that this one could make too."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from fakeissuer import Handle
from service import Settings, SettingsError, make_app
from service.authenticator import Authenticator
from service.caches.verdicts import Verdicts
from service.clock import ManualClock
from service.issuer_settings import IssuerSettings

Rig = Any  # the fixture's class lives in conftest.py, which cannot be imported from


@pytest.mark.gen_test
async def test_mistake_1_an_outage_answered_as_a_bad_token(rig: Rig) -> None:
    rig.issuer.fail("discovery", drop=True)
    assert 503 == await rig.status(rig.known())


@pytest.mark.gen_test(timeout=60)
async def test_mistake_2_a_fetch_for_each_unknown_key_id(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    tokens = [rig.unknown(number) for number in range(1000)]
    assert {401} == set(await rig.statuses(*tokens))
    assert 2 == rig.fetches()


@pytest.mark.gen_test(timeout=60)
async def test_mistake_3_a_pause_that_starts_only_after_a_success(rig: Rig) -> None:
    assert 200 == await rig.status(rig.known())
    rig.issuer.fail("keys", status=500)
    assert {503} == set(await rig.statuses(*[rig.unknown(number) for number in range(1000)]))
    assert 2 == rig.fetches()


@pytest.mark.gen_test
async def test_mistake_4_a_failed_fetch_that_throws_good_keys_away(rig: Rig) -> None:
    token = rig.known()
    assert 200 == await rig.status(token)
    rig.issuer.fail("keys", status=500)
    assert 503 == await rig.status(rig.unknown())
    assert 200 == await rig.status(token)


@pytest.mark.gen_test
async def test_mistake_5_old_keys_that_never_leave(rig: Rig) -> None:
    token = rig.known()
    assert 200 == await rig.status(token)
    for key in rig.issuer.keys():
        if key.status == "ACTIVE":
            rig.issuer.rotate()
            rig.issuer.withdraw(key.kid)
    rig.advance(3600)
    assert 401 == await rig.status(token)


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, True, "1700003600", [], {}], ids=str)
@pytest.mark.gen_test
async def test_mistake_7_a_hostile_number_as_a_date(claim: str, value: object, rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(claims={claim: value}))


def test_mistake_9_security_that_is_off_when_it_is_not_set_up(clock: ManualClock) -> None:
    with pytest.raises(SettingsError):
        Authenticator([], verdicts=Verdicts(clock=clock))


@pytest.mark.gen_test
async def test_mistake_9_a_route_without_a_mark(fake_issuer: Handle) -> None:
    with pytest.raises(SettingsError):
        make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/", RequestHandler)])


@pytest.mark.gen_test
async def test_mistake_10_and_18_what_one_issuers_validator_refused_another_accepts(
    fake_issuer: Handle, http_client: AsyncHTTPClient
) -> None:
    """Two issuers, interleaved: keys and audiences of one are never used for tokens of the other."""
    default, partner = fake_issuer.issuer_url(), fake_issuer.issuer_url("partner")
    lax = IssuerSettings(issuer=partner, audience=("api://partner", "api://default"))
    service = make_app(Settings(issuer=default, issuers=(lax,)))
    server = service.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/api/whoami"
    tokens = {
        fake_issuer.token(): 200,
        fake_issuer.token(server="partner"): 200,
        fake_issuer.token(aud="api://partner"): 401,
        fake_issuer.token(claims={"iss": partner}): 401,
        fake_issuer.token(server="partner", claims={"iss": default}): 401,
    }
    for _ in range(2):
        for token, status in tokens.items():
            headers = {"Authorization": f"Bearer {token}"}
            assert status == (await http_client.fetch(url, headers=headers, raise_error=False)).code
    server.stop()
    await service.close()


@pytest.mark.gen_test
async def test_mistake_14_a_403_for_nobody(rig: Rig) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "PATCH"):
        response = await rig.client.fetch(
            f"{rig.url}/api/whoami", method=method, raise_error=False, allow_nonstandard_methods=True
        )
        assert (401, 'Bearer realm="api"') == (response.code, response.headers["WWW-Authenticate"])


@pytest.mark.gen_test
async def test_mistake_16_a_token_in_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="service")
    tokens = [rig.known(), *(bad.token for bad in rig.issuer.bad_tokens() if bad.status == 401)]
    for token in tokens:
        await rig.status(token, f"/api/whoami?access_token={token[:200]}")
    parts = {part for token in tokens for part in token.split(".") if len(part) > 40}
    assert not [part for part in parts if part in caplog.text]


@pytest.mark.gen_test
async def test_mistake_19_a_redirect_that_is_followed(rig: Rig) -> None:
    rig.issuer.fail("discovery", redirect=True)
    assert 503 == await rig.status(rig.known())
    assert 1 == rig.issuer.requests("discovery").count


@pytest.mark.parametrize("typ", ["dpop+jwt", "secevent+jwt", "JWS", "id_token+jwt"])
@pytest.mark.gen_test
async def test_mistake_21_any_type_accepted(typ: str, rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(header={"typ": typ}))


@pytest.mark.gen_test
async def test_mistake_21_an_id_token_used_as_an_access_token(rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(kind="id", aud="api://default"))


@pytest.mark.parametrize("alg", ["none", "HS256"])
@pytest.mark.gen_test
async def test_mistake_22_an_algorithm_chosen_by_the_token(alg: str, rig: Rig) -> None:
    assert 401 == await rig.status(rig.issuer.token(alg=alg))
