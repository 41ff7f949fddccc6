"""What real servers write and the standards do not expect, so far as reading it does no harm."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pybase64
import pytest
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock

CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
BOM = "\ufeff"

Start = Callable[..., Callable[..., Any]]


@pytest.fixture
def app(fake_issuer: RunningIssuer) -> ResourceServerApplication:
    return make_app(Settings(issuer=fake_issuer.issuer_url(), audience=("api://default",)))


@pytest.fixture
def start(
    fake_issuer: RunningIssuer,
    manual_clock: ManualClock,
    http_client: AsyncHTTPClient,
    listen: Callable[[ResourceServerApplication], str],
) -> Start:
    """Return a function that starts a service, and returns one that sends a token to it."""

    def starting(**settings: Any) -> Callable[..., Any]:
        values = {"issuer": fake_issuer.issuer_url(), "audience": "api://default", **settings}
        url = listen(make_app(Settings(**values), clock=manual_clock))

        async def status(token: str) -> int:
            headers = {"Authorization": f"Bearer {token}"}
            return (await http_client.fetch(f"{url}/api/whoami", headers=headers, raise_error=False)).code

        return status

    return starting


NEVER = {"introspection_zero_exp_is_never": True}

RESPONSES: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "null members": (dict.fromkeys(("cnf", "nbf", "sub", "username", "events", "jti", "token_use", "act")), {}, 200),
    "a null exp": ({"exp": None}, {}, 200),
    "a null audience": ({"aud": None}, {}, 401),
    "a null active": ({"active": None}, {}, 401),
    "an exp of 0": ({"exp": 0}, {}, 401),
    "an exp of 0, by the setting": ({"exp": 0}, NEVER, 200),
    "an exp of 0.0, by the setting": ({"exp": 0.0}, NEVER, 200),
    "the zero time of Go, by the setting": ({"exp": -62135596800}, NEVER, 200),
    "an exp in the past, with the setting": ({"exp": 1000}, NEVER, 401),
    "an exp of false, with the setting": ({"exp": False}, NEVER, 401),
    "an exp that is text, with the setting": ({"exp": "0"}, NEVER, 401),
}


@pytest.mark.fake_issuer_profile("keycloak")
@pytest.mark.parametrize(("members", "settings", "status"), RESPONSES.values(), ids=RESPONSES.keys())
@pytest.mark.gen_test
async def test_members_of_an_introspection_response_that_stand_for_nothing(
    members: dict[str, Any], settings: dict[str, Any], status: int, start: Start, fake_issuer: RunningIssuer
) -> None:
    send = start(**CLIENT, **settings)
    body = {"active": True, "scope": "api:read", "aud": "api://default", "azp": "x", "exp": 4_000_000_000}
    fake_issuer.fail("introspect", status=200, body=BOM + json.dumps(body | members))
    assert status == await send("opaque")


@pytest.mark.fake_issuer_profile("keycloak")
@pytest.mark.gen_test
async def test_the_rejection_of_an_exp_of_0_names_the_setting(
    start: Start, fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    fake_issuer.fail("introspect", status=200, body={"active": True, "aud": "api://default", "azp": "x", "exp": 0})
    assert 401 == await start(**CLIENT)("opaque")
    assert "rejected unless introspection_zero_exp_is_never is set" in caplog.text


@pytest.mark.fake_issuer_profile("keycloak")
@pytest.mark.gen_test
async def test_a_token_that_never_expires_is_introspected_again(
    start: Start, fake_issuer: RunningIssuer, manual_clock: ManualClock
) -> None:
    body = {"active": True, "aud": "api://default", "azp": "x", "exp": 0}
    fake_issuer.fail("introspect", status=200, body=body)
    send = start(**CLIENT, **NEVER)
    assert [200, 200] == [await send("opaque"), await send("opaque")]
    assert 1 == fake_issuer.requests("introspect").count
    manual_clock.advance(60)
    fake_issuer.clear_faults()
    assert 401 == await send("opaque")


@pytest.mark.parametrize("content_type", ["text/plain", "text/plain; charset=utf-8", "application/octet-stream", ""])
@pytest.mark.gen_test
async def test_documents_may_begin_with_a_byte_order_mark_and_have_any_media_type(
    content_type: str, start: Start, fake_issuer: RunningIssuer
) -> None:
    headers = {"Content-Type": content_type}
    metadata = {"issuer": fake_issuer.issuer_url(), "jwks_uri": f"{fake_issuer.issuer_url()}/v1/keys"}
    fake_issuer.fail("discovery", status=200, headers=headers, body=BOM + json.dumps(metadata))
    fake_issuer.fail("keys", status=200, headers=headers, body=BOM + json.dumps(fake_issuer.key_set()))
    assert 200 == await start()(fake_issuer.token())


@pytest.mark.gen_test
async def test_a_byte_order_mark_in_a_token_is_malformed(start: Start, fake_issuer: RunningIssuer) -> None:
    header, payload, signature = fake_issuer.token().split(".")
    marked = pybase64.urlsafe_b64encode(BOM.encode() + pybase64.urlsafe_b64decode(payload + "==")).decode().rstrip("=")
    assert 401 == await start()(f"{header}.{marked}.{signature}")


@pytest.mark.gen_test
async def test_a_key_id_that_is_null_stands_for_none(start: Start, fake_issuer: RunningIssuer) -> None:
    nulls = dict.fromkeys(("kid", "use", "key_ops", "alg", "x5c", "d", "k"))
    keys = [nulls | {name: key[name] for name in ("kty", "n", "e")} for key in fake_issuer.key_set()["keys"]]
    fake_issuer.fail("keys", status=200, body={"keys": keys})
    send = start()
    assert 200 == await send(fake_issuer.token(header={"kid": None}))
    assert 401 == await send(fake_issuer.token(header={"kid": None}, key="unpublished"))
