from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from tornado.httputil import HTTPServerRequest

from fakeissuer import RunningIssuer
from service import (
    AccessDenied,
    CrossSiteRequest,
    Guard,
    InsufficientAuthentication,
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    IssuerUnavailable,
    MissingToken,
    ServiceError,
    Settings,
    SettingsError,
)
from service.caches.deny_list import DenyEntry
from service.clock import ManualClock
from service.issuers.client import JSONClient
from service.web.credentials.subprotocol import OFFER

Make = Callable[..., Guard]


@pytest.fixture
def clock(fake_issuer: RunningIssuer) -> ManualClock:
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def make(fake_issuer: RunningIssuer, clock: ManualClock, io_loop: Any) -> Any:
    """Return a function that makes a guard; every guard is closed at the end."""
    guards: list[Guard] = []

    def make_guard(settings: dict[str, Any] | None = None, **arguments: Any) -> Guard:
        all_settings = Settings(issuer=fake_issuer.issuer_url(), **(settings or {}))
        guards.append(Guard(all_settings, clock=clock, **arguments))
        return guards[-1]

    yield make_guard
    for guard in guards:
        io_loop.run_sync(guard.close)


def request(*fields: tuple[str, str], method: str = "GET", path: str = "/") -> HTTPServerRequest:
    return Guard.request(method, f"http://api.example{path}", fields)


def bearer(token: str) -> tuple[str, str]:
    return "Authorization", f"Bearer {token}"


@pytest.mark.gen_test
async def test_a_token_is_authenticated_and_cached(make: Make, fake_issuer: RunningIssuer) -> None:
    guard, token = make(), fake_issuer.token(sub="alice@example.com", scp="things:read")
    principal = await guard.authenticate(request(bearer(token)))
    assert principal is not None
    assert ("alice@example.com", frozenset({"things:read"})) == (principal.subject, principal.scopes)
    assert await guard.authenticate(request(bearer(token))) is principal


@pytest.mark.parametrize("fields", [(), (("Authorization", "Basic YTpi"),), (("Cookie", "__Host-access_token=a"),)])
@pytest.mark.gen_test
async def test_a_request_without_a_token_has_no_principal(fields: tuple[tuple[str, str], ...], make: Make) -> None:
    assert await make().authenticate(request(*fields)) is None


@pytest.mark.gen_test
async def test_a_bad_token_is_rejected(make: Make, fake_issuer: RunningIssuer) -> None:
    guard = make()
    for bad in fake_issuer.bad_tokens():
        with pytest.raises((InvalidToken, InvalidRequest)) as rejection:
            await guard.authenticate(request(bearer(bad["token"])))
        assert bad["status"] == guard.reject(rejection.value, request()).status


@pytest.mark.gen_test
async def test_malformed_credentials_and_two_tokens_are_rejected(make: Make, fake_issuer: RunningIssuer) -> None:
    token = fake_issuer.token()
    for fields in [(bearer("a b"),), (bearer(""),), (bearer(token), bearer(token))]:
        with pytest.raises(InvalidRequest):
            await make().authenticate(request(*fields))


@pytest.mark.gen_test
async def test_an_unavailable_issuer_is_no_rejection_of_the_token(make: Make, fake_issuer: RunningIssuer) -> None:
    fake_issuer.fail("keys", status=500)
    guard, sent = make(), request(bearer(fake_issuer.token()))
    with pytest.raises(IssuerUnavailable) as outage:
        await guard.authenticate(sent)
    response = guard.reject(outage.value, sent)
    assert (503, None) == (response.status, response.headers.get("WWW-Authenticate"))
    assert 1 <= int(response.headers["Retry-After"])


@pytest.mark.gen_test
async def test_the_other_places_of_a_token_are_read_if_they_are_named(make: Make, fake_issuer: RunningIssuer) -> None:
    token, form = fake_issuer.token(), request(("Content-Type", "application/x-www-form-urlencoded"), method="POST")
    form.body_arguments["access_token"] = [token.encode()]
    guard = make(token_sources=["cookie", "query", "form"], token_cookie="session")
    for sent in [
        request(("Cookie", f"session={token}")),
        request(path=f"/?access_token={token}"),
        form,
    ]:
        assert await guard.authenticate(sent) is not None
    assert await guard.authenticate(request(bearer(token))) is None


@pytest.mark.gen_test
async def test_a_cookie_that_another_site_sends_is_rejected(make: Make, fake_issuer: RunningIssuer) -> None:
    guard = make(token_sources="cookie", token_cookie="session")
    cookie = ("Cookie", f"session={fake_issuer.token()}")
    sent = request(cookie, ("Origin", "https://evil.example"), method="POST")
    with pytest.raises(CrossSiteRequest) as rejection:
        await guard.authenticate(sent)
    response = guard.reject(rejection.value, sent)
    assert (403, "access_denied") == (response.status, json.loads(response.body)["error"])
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.gen_test
async def test_only_a_websocket_may_offer_the_token_as_a_subprotocol(make: Make, fake_issuer: RunningIssuer) -> None:
    offer = (
        "Sec-WebSocket-Protocol",
        OFFER + base64.urlsafe_b64encode(fake_issuer.token().encode()).decode().rstrip("="),
    )
    assert await make().authenticate(request(offer, ("Upgrade", "WebSocket"))) is not None
    assert await make().authenticate(request(offer)) is None


REQUIREMENTS: dict[str, tuple[dict[str, object], type[ServiceError] | None]] = {
    "none": ({}, None),
    "a scope of the token": ({"scopes": "things:read"}, None),
    "another scope": ({"scopes": "things:write"}, InsufficientScope),
    "a group of the user": ({"groups": "Everyone"}, None),
    "another group": ({"groups": ["Admins"]}, AccessDenied),
    "a claim": ({"claims": {"tenant": "a"}}, None),
    "another claim": ({"claims": {"tenant": "b"}}, AccessDenied),
    "another client": ({"allowed_clients": "other"}, AccessDenied),
    "a recent sign-in": ({"max_age": 60}, InsufficientAuthentication),
}


@pytest.mark.parametrize(("requirements", "error"), REQUIREMENTS.values(), ids=REQUIREMENTS.keys())
@pytest.mark.gen_test
async def test_a_principal_is_authorized_as_by_a_handler(
    requirements: dict[str, object], error: type[ServiceError] | None, make: Make, fake_issuer: RunningIssuer
) -> None:
    guard = make()
    token = fake_issuer.token(scp="things:read", claims={"groups": ["Everyone"], "tenant": "a"})
    principal = await guard.authenticate(request(bearer(token)))
    if error is None:
        assert guard.authorize(principal, **requirements) is principal
    else:
        with pytest.raises(error):
            guard.authorize(principal, **requirements)


@pytest.mark.gen_test
async def test_scopes_are_matched_as_the_settings_say(make: Make, fake_issuer: RunningIssuer) -> None:
    guard = make({"scope_matching": "hierarchy"})
    principal = await guard.authenticate(request(bearer(fake_issuer.token(scp="things"))))
    assert guard.authorize(principal, scopes="things:read") is principal


@pytest.mark.gen_test
async def test_authorize_rejects_a_request_without_a_token(make: Make) -> None:
    with pytest.raises(MissingToken):
        make().authorize(None)


@pytest.mark.parametrize("name", ["scope", "public", "optional", "validation"])
@pytest.mark.gen_test
async def test_an_unknown_requirement_is_a_mistake_even_without_a_token(name: str, make: Make) -> None:
    with pytest.raises(TypeError, match=rf"does not accept {name}; it accepts scopes, groups"):
        make().authorize(None, **{name: "things:read"})


@pytest.mark.gen_test
async def test_a_rejection_is_a_response_and_one_line_in_the_log(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service.web")
    guard = make({"public_url": "https://api.example", "cors_origins": ("https://app.example",)})
    caplog.clear()
    sent = request(("Origin", "https://app.example"), path="/things?secret=1")
    response = guard.reject(InsufficientScope(["things:read"]), sent)
    assert 403 == response.status
    assert {"error", "error_description"} == json.loads(response.body).keys()
    assert 'scope="things:read", resource_metadata="https://api.example/.well-' in response.headers["WWW-Authenticate"]
    assert ("no-store", "nosniff") == tuple(response.headers[n] for n in ("Cache-Control", "X-Content-Type-Options"))
    assert "https://app.example" == response.headers["Access-Control-Allow-Origin"]
    assert "rejected GET /things: insufficient_scope: required: things:read" == caplog.messages[-1]


@pytest.mark.gen_test
async def test_a_request_that_tornado_rejects_has_a_response(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service.web")
    with pytest.raises(InvalidRequest) as rejection:
        Guard.request("GET", "https://api.example/", [("Host", "a/b")])
    assert 400 == make().reject(rejection.value, None).status
    assert caplog.messages[-1].startswith("rejected - -: malformed_credentials")


@pytest.mark.gen_test
async def test_an_error_of_another_kind_is_raised_again(make: Make) -> None:
    with pytest.raises(SettingsError):
        make().reject(SettingsError(["no rejection"]), request())


@pytest.mark.gen_test
async def test_a_watched_token_ends_when_it_expires_or_is_denied(
    make: Make, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    guard, ended = make(), []
    tokens = {}
    for name, seconds in [("short", 60), ("long", 3600)]:
        sent = request(bearer(fake_issuer.token(expires_in=seconds, sub=name)))
        principal = guard.authorize(await guard.authenticate(sent))
        tokens[name] = guard.watch_token(principal, sent, on_end=lambda name=name: ended.append(name))  # type: ignore[misc]  # a bound default
    await guard.context.monitor.check_all()
    assert [] == ended
    clock.advance(61)
    await guard.context.monitor.check_all()
    assert ["short"] == ended
    await guard.deny_list.add(DenyEntry(kind="sub", value="long", issuer=None, expires_at=clock.now() + 10_000))
    await guard.context.monitor.check_all()
    assert ["short", "long"] == ended


@pytest.mark.gen_test
async def test_a_request_without_a_token_cannot_be_watched(make: Make, fake_issuer: RunningIssuer) -> None:
    guard = make()
    principal = guard.authorize(await guard.authenticate(request(bearer(fake_issuer.token()))))
    with pytest.raises(MissingToken):
        guard.watch_token(principal, request())


@pytest.mark.gen_test
async def test_closing_stops_what_is_watched_and_keeps_the_callers_client(
    make: Make, fake_issuer: RunningIssuer
) -> None:
    client, stopped = JSONClient(), []
    guard, sent = make(client=client), request(bearer(fake_issuer.token()))
    principal = guard.authorize(await guard.authenticate(sent))
    watched = guard.watch_token(principal, sent, on_stop=lambda: stopped.append(True))
    await guard.close()
    assert ([True], True) == (stopped, watched.ended.is_set())
    await client.get(f"{fake_issuer.issuer_url()}/v1/keys")
    client.close()


@pytest.mark.parametrize("arguments", [{"token_sources": "body"}, {"token_cookie": "a b"}])
def test_an_impossible_argument_stops_the_program(arguments: dict[str, str], make: Make) -> None:
    with pytest.raises(ValueError, match="token_"):
        make(**arguments)


def test_an_unknown_validation_is_rejected(make: Make) -> None:
    with pytest.raises(SettingsError, match="validation"):
        make({"validation": "jtw"})


@pytest.mark.gen_test
async def test_a_guard_reads_the_headers_of_trusted_proxies(make: Make, fake_issuer: RunningIssuer) -> None:
    guard = make({"trusted_proxies": ("10.0.0.1",)}, token_sources="oauth2-proxy")
    fields = [("X-Forwarded-Access-Token", fake_issuer.token()), ("X-Forwarded-For", "192.0.2.1")]
    for peer, address in (("10.0.0.1", "192.0.2.1"), ("10.0.0.2", "10.0.0.2")):
        received = Guard.request("GET", "http://api.example/", fields, remote_ip=peer)
        principal = await guard.authenticate(received)
        assert (peer == "10.0.0.1") == (principal is not None)
        assert address == received.remote_ip
