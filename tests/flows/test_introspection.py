"""What introspection makes of every answer, on the fake issuer's truth, its faults, its clock and its journal."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.web import RequestHandler

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, ResourceServerApplication, Settings, SettingsError, make_app
from service.clock import ManualClock
from service.issuers.client import MAX_CONNECTIONS

CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}


@pytest.fixture
def start(
    fake_issuer: RunningIssuer, manual_clock: ManualClock, listen: Callable[[ResourceServerApplication], str]
) -> Callable[..., Callable[..., Any]]:
    """Return what starts a service with some settings, and gives what sends a token to it."""

    def starting(routes: list[Any] | None = None, **settings: Any) -> Callable[..., Any]:
        server = settings.pop("server", "default")
        terms = {"issuer": fake_issuer.issuer_url(server), "audience": "api://default", **CLIENT, **settings}
        url = listen(make_app(Settings(**terms), routes=routes, clock=manual_clock))

        async def send(token: str, path: str = "/api/whoami") -> tuple[int, dict[str, Any]]:
            headers = {"Authorization": f"Bearer {token}"}
            client = AsyncHTTPClient(force_instance=True, max_clients=200)
            response = await client.fetch(url + path, headers=headers, raise_error=False)
            client.close()
            if response.code == 503:
                assert "WWW-Authenticate" not in response.headers
                assert int(response.headers["Retry-After"]) >= 1
            return response.code, json.loads(response.body)

        return send

    return starting


@pytest.mark.gen_test
async def test_a_revoked_token_is_rejected_when_its_cached_response_expires_or_locally_when_it_expires(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    asked, local = start(validation="introspection"), start(validation="jwt")
    token = fake_issuer.token(sub="alice@example.com", expires_in=3600)
    assert 200 == (await asked(token))[0] == (await local(token))[0]
    fake_issuer.revoke(token)
    assert 200 == (await asked(token))[0]  # what was said a moment ago is still believed
    manual_clock.advance(60)
    status, error_reply = await asked(token)
    assert (401, "invalid_token") == (status, error_reply["error"])
    assert 200 == (await local(token))[0]
    manual_clock.advance(3600 + 121)
    assert 401 == (await local(token))[0]


@pytest.mark.gen_test
async def test_a_cache_hit_does_not_extend_the_lifetime_of_a_response(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    send = start(validation="introspection")
    token = fake_issuer.token(expires_in=3600)
    for _ in range(12):
        assert 200 == (await send(token))[0]
        manual_clock.advance(10)
    assert 2 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test
async def test_a_response_is_not_cached_beyond_the_expiry_of_its_token(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    send = start(validation="introspection", leeway=0)
    token = fake_issuer.token(expires_in=30)
    assert 200 == (await send(token))[0]
    manual_clock.advance(31)
    fake_issuer.clock.advance(31)
    assert 401 == (await send(token))[0]


@pytest.mark.gen_test
async def test_an_inactive_response_is_cached_for_ten_seconds(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    send = start(validation="introspection")
    for _ in range(3):
        assert 401 == (await send("an-unknown-token"))[0]
    assert 1 == fake_issuer.requests("introspect").count
    manual_clock.advance(10)
    assert 401 == (await send("an-unknown-token"))[0]
    assert 2 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test(timeout=60)
async def test_a_thousand_concurrent_requests_with_one_token_share_one_introspection_request(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start(validation="introspection")
    token = fake_issuer.token()
    fake_issuer.fail("introspect", delay=0.3, times=1)
    assert {200} == {status for status, _ in await asyncio.gather(*(send(token) for _ in range(1000)))}
    assert 1 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test(timeout=60)
async def test_a_thousand_distinct_tokens_share_the_connections_of_the_pool(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start(validation="introspection", introspection_rate_limit=0)
    for start_at in range(0, 1000, 100):
        tokens = [f"made-up-{number}" for number in range(start_at, start_at + 100)]
        assert {401} == {status for status, _ in await asyncio.gather(*map(send, tokens))}
    asked = fake_issuer.requests("introspect")
    assert 1000 == asked.count
    assert asked.connections <= MAX_CONNECTIONS


def _active(**members: Any) -> dict[str, Any]:
    """Return a good answer, with members added, changed, or (None) left out."""
    good = {"active": True, "scope": "api:read", "aud": "api://default", "exp": 4_000_000_000, "client_id": "x"}
    return {name: value for name, value in (good | members).items() if value is not None}


ANSWERS: dict[str, tuple[dict[str, Any], int]] = {
    "401, our secret is wrong": ({"status": 401, "body": {"error": "invalid_client"}}, 503),
    "403": ({"status": 403, "body": {}}, 503),
    "400": ({"status": 400, "body": {"error": "invalid_request"}}, 503),
    "404": ({"status": 404, "body": {}}, 503),
    "429": ({"status": 429, "headers": {"Retry-After": "30"}, "body": {}}, 503),
    "500": ({"status": 500, "body": {}}, 503),
    "HTML": ({"status": 200, "headers": {"Content-Type": "text/html"}, "body": "<p>Welcome"}, 503),
    "a list": ({"status": 200, "body": "[true]"}, 503),
    "a name twice": ({"status": 200, "body": '{"active": false, "active": true}'}, 503),
    "a redirect": ({"redirect": "/elsewhere"}, 503),
    "garbage": ({"garbage": True}, 503),
    "an empty answer": ({"empty": True}, 503),
    "a truncated answer": ({"truncate": 20}, 503),
    "a dropped connection": ({"drop": True}, 503),
    "a huge answer": ({"huge": True}, 503),
    "no word on whether it is active": ({"status": 200, "body": {"scope": "api:read"}}, 503),
    "active is text": ({"status": 200, "body": _active(active="true")}, 401),
    "active is a number": ({"status": 200, "body": _active(active=1)}, 401),
    "not active": ({"status": 200, "body": {"active": False}}, 401),
    "another audience": ({"status": 200, "body": _active(aud="api://other")}, 401),
    "a list of audiences with ours": ({"status": 200, "body": _active(aud=["api://other", "api://default"])}, 200),
    "another issuer": ({"status": 200, "body": _active(iss="https://other.example")}, 401),
    "expired": ({"status": 200, "body": _active(exp=1_000)}, 401),
    "an exp that is text": ({"status": 200, "body": _active(exp="4000000000")}, 401),
    "an exp that is true": ({"status": 200, "body": _active(exp=True)}, 401),
    "an exp without end": ({"status": 200, "body": '{"active": true, "exp": 1e400}'}, 503),
    "an exp of many digits": ({"status": 200, "body": '{"active": true, "exp": 1' + "0" * 400 + "}"}, 401),
    "not yet": ({"status": 200, "body": _active(nbf=3_900_000_000)}, 401),
    "a refresh token": ({"status": 200, "body": _active(token_use="refresh_token")}, 401),
    "a token of an odd type": ({"status": 200, "body": _active(token_type="N_A")}, 401),
    "a type that is a list": ({"status": 200, "body": _active(token_use=["access"])}, 401),
    "bound to a key": ({"status": 200, "body": _active(cnf={"jkt": "x"})}, 401),
    "the scope as text": ({"status": 200, "body": _active(scope="api:read api:write")}, 200),
    "the scope as a list": ({"status": 200, "body": _active(scope=["api:read"])}, 200),
}


@pytest.mark.parametrize(("fault", "expected"), ANSWERS.values(), ids=ANSWERS.keys())
@pytest.mark.gen_test(timeout=30)
async def test_an_introspection_response_maps_to_the_expected_status(
    fault: dict[str, Any], expected: int, start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start(validation="introspection")
    if "body" in fault and isinstance(fault["body"], dict) and "active" in fault["body"]:
        fault = fault | {"body": {"iss": fake_issuer.issuer_url(), **fault["body"]}}
    fake_issuer.fail("introspect", **fault)
    status, body = await send("opaque")
    assert expected == status, body
    assert 200 == (await send("opaque", "/api/hello"))[0]


@pytest.mark.gen_test
async def test_an_okta_response_without_iss_aud_and_exp_is_rejected(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    """Okta calls a refresh token active; a stolen one must not open the API."""
    send = start(validation="introspection")
    status, error_reply = await send(fake_issuer.token(kind="refresh"))
    assert (401, "invalid_token") == (status, error_reply["error"])


@pytest.mark.gen_test
async def test_rejected_client_credentials_are_503_and_logged_once_as_an_error(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    send = start(validation="introspection", client_secret="wrong")
    for _ in range(5):
        assert 503 == (await send(fake_issuer.token()))[0]
    # One request for a client, and one with a token of our own; no storm, which would lock the client.
    assert 2 == fake_issuer.requests("introspect").count
    loud = [record for record in caplog.records if record.levelname == "ERROR"]
    assert 1 == len(loud)
    assert "rejected our client credentials" in loud[0].getMessage()
    assert "wrong" not in caplog.text


@pytest.mark.gen_test
async def test_a_rate_limit_pauses_introspection_and_cached_responses_still_serve(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    send = start(validation="introspection")
    known, other = fake_issuer.token(), fake_issuer.token()
    assert 200 == (await send(known))[0]
    fake_issuer.fail("introspect", status=429, headers={"Retry-After": "20"}, times=1)
    assert 503 == (await send(other))[0]
    assert 503 == (await send(other))[0]
    assert 200 == (await send(known))[0]
    assert 2 == fake_issuer.requests("introspect").count
    manual_clock.advance(21)
    assert 200 == (await send(other))[0]


@pytest.mark.gen_test(timeout=30)
async def test_requests_to_a_failing_issuer_pause_until_it_has_recovered(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    send = start(validation="introspection")
    fake_issuer.fail("introspect", status=500)
    assert {503} == {(await send(f"token-{number}"))[0] for number in range(10)}
    assert 3 == fake_issuer.requests("introspect").count  # two for clients, and one with a token of our own
    fake_issuer.clear_faults()
    manual_clock.advance(2.1)
    assert 200 == (await send(fake_issuer.token()))[0]


@pytest.mark.gen_test
async def test_a_dropped_connection_is_retried_once(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start(validation="introspection")
    fake_issuer.fail("introspect", drop=True, times=1)
    assert 200 == (await send(fake_issuer.token()))[0]


@pytest.mark.gen_test
async def test_auto_validates_jwts_locally_and_introspects_opaque_tokens(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start()
    assert 200 == (await send(fake_issuer.token()))[0]
    assert 0 == fake_issuer.requests("introspect").count
    assert 401 == (await send("an-unknown-token"))[0]
    assert 1 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test
async def test_auto_introspects_tokens_of_an_okta_org(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    org = fake_issuer.issuer_url("org")
    send = start(server="org", audience=org)
    token = fake_issuer.token(server="org", sub="alice@example.com")
    status, claims = await send(token)
    assert (200, org) == (status, claims["iss"])
    fake_issuer.revoke(token)
    assert 1 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test
async def test_hybrid_rejects_a_revoked_token_and_introspects_no_forged_one(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    send = start(validation="hybrid")
    token = fake_issuer.token()
    assert 401 == (await send(fake_issuer.token(key="unpublished")))[0]
    assert 0 == fake_issuer.requests("introspect").count
    assert 200 == (await send(token))[0] == (await send(token))[0]
    assert 1 == fake_issuer.requests("introspect").count
    fake_issuer.revoke(token)
    manual_clock.advance(60)
    assert 401 == (await send(token))[0]


@pytest.mark.parametrize(("setting", "expected"), [("no", 503), ("yes", 200)])
@pytest.mark.gen_test
async def test_hybrid_while_introspection_is_unavailable(
    setting: str,
    expected: int,
    start: Callable[..., Callable[..., Any]],
    fake_issuer: RunningIssuer,
    manual_clock: ManualClock,
) -> None:
    send = start(validation="hybrid", insecure_accept_when_introspection_fails=setting)
    fake_issuer.fail("introspect", status=500)
    token = fake_issuer.token()
    assert expected == (await send(token))[0]
    fake_issuer.clear_faults()
    fake_issuer.revoke(token)
    manual_clock.advance(3)
    assert 401 == (await send(token))[0]


class Payments(BearerAuthMixin, RequestHandler):
    validation = "introspection"

    def get(self) -> None:
        self.write({"paid": True})


class Catalogue(BearerAuthMixin, RequestHandler):
    def get(self) -> None:
        self.write({"things": []})


@pytest.mark.gen_test
async def test_one_handler_can_require_introspection_while_others_validate_locally(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start([(r"/payments", Payments), (r"/catalogue", Catalogue)], validation="jwt")
    token = fake_issuer.token()
    assert 200 == (await send(token, "/catalogue"))[0]
    fake_issuer.revoke(token)
    assert 200 == (await send(token, "/catalogue"))[0]
    assert 401 == (await send(token, "/payments"))[0]
    assert 200 == (await send(token, "/catalogue"))[0]


@pytest.mark.gen_test
async def test_a_handler_that_requires_introspection_needs_client_credentials(fake_issuer: RunningIssuer) -> None:
    with pytest.raises(SettingsError, match="client_id"):
        make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/payments", Payments)])


@pytest.mark.gen_test
async def test_a_signed_response_is_verified_and_a_plain_one_is_rejected(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer
) -> None:
    send = start(validation="introspection", introspection_jwt=True)
    assert 200 == (await send(fake_issuer.token()))[0]
    body = {"active": True, "aud": "api://default", "exp": 4_000_000_000, "iss": fake_issuer.issuer_url()}
    fake_issuer.fail("introspect", status=200, body=body)
    assert 503 == (await send("opaque"))[0]


@pytest.mark.gen_test
async def test_neither_token_nor_secret_reaches_the_log(
    start: Callable[..., Callable[..., Any]], fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    send = start(validation="introspection")
    token = fake_issuer.token()
    await send(token)
    fake_issuer.fail("introspect", garbage=True)
    await send("an-opaque-token-of-some-length")
    basic = base64.b64encode(b"0oaapi00000000000001:api-secret-for-tests-only-00000000001").decode()
    for secret in (
        token,
        token.rpartition(".")[2],
        "an-opaque-token-of-some-length",
        "api-secret-for-tests-only-00000000001",
        basic,
    ):
        assert secret not in caplog.text
