from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import seeded_clients
from scripted_browser import CALLBACK, WEB, Browser, forms, redirected

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
PARAMETERS = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s"}
AUTHORIZE = "/oauth2/default/v1/authorize"
UNKNOWN_REQUEST_URI = b"unknown, expired or spent"


def push(ask: Call, issuer: RunningIssuer, **more: str) -> Any:
    return ask(f"{issuer.issuer_url()}/v1/par", "POST", form={**PARAMETERS, **more}, client=seeded_clients.WEB)


def test_a_pushed_request_is_used_once(fake_issuer: RunningIssuer, ask: Call, browser: Browser) -> None:
    response = push(ask, fake_issuer)
    assert (response.status, response.json()["expires_in"]) == (200, 3600)
    name = response.json()["request_uri"]
    assert name.startswith("urn:okta:")
    assert browser.get(AUTHORIZE, client_id="another", request_uri=name).status == 400
    started = browser.get(AUTHORIZE, client_id=WEB, request_uri=name)
    assert redirected(browser.sign_in(started))["state"] == "s"
    assert browser.get(AUTHORIZE, client_id=WEB, request_uri=name).status == 400


def test_an_invalid_pushed_request_is_rejected(fake_issuer: RunningIssuer, ask: Call) -> None:
    rejected = [
        push(ask, fake_issuer, response_type="magic"),
        push(ask, fake_issuer, redirect_uri="https://evil.test"),
        push(ask, fake_issuer, request_uri="urn:okta:x"),
    ]
    assert [response.status for response in rejected] == [400] * 3
    assert rejected[0].json()["error"] == "unsupported_response_type"


def test_a_pushed_request_expires_after_an_hour(fake_issuer: RunningIssuer, ask: Call, browser: Browser) -> None:
    name = push(ask, fake_issuer).json()["request_uri"]
    fake_issuer.clock.advance(3600)
    assert browser.get(AUTHORIZE, client_id=WEB, request_uri=name).status == 400


def test_the_strict_profile_responds_with_201(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        assert push(ask, issuer).status == 201


def test_a_pushed_request_is_valid_only_at_its_server(fake_issuer: RunningIssuer, ask: Call, browser: Browser) -> None:
    name = push(ask, fake_issuer).json()["request_uri"]
    for elsewhere in ("/oauth2/partner/v1/authorize", "/oauth2/v1/authorize"):
        response = browser.get(elsewhere, client_id=WEB, request_uri=name)
        assert (response.status, UNKNOWN_REQUEST_URI in response.body) == (400, True)
    assert browser.get(AUTHORIZE, client_id=WEB, request_uri=name).status == 302


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_a_pushed_request_in_two_tabs_gets_one_response(
    fake_issuer: RunningIssuer, ask: Call, browser: Browser, decision: str
) -> None:
    browser.sign_in(browser.authorize())
    name = push(ask, fake_issuer, prompt="consent").json()["request_uri"]
    tabs = [browser.get(AUTHORIZE, client_id=WEB, request_uri=name) for _ in range(2)]
    assert redirected(browser.consent(tabs[0], decision))["state"] == "s"
    late = browser.consent(tabs[1], decision)
    assert (late.status, UNKNOWN_REQUEST_URI in late.body) == (400, True)
    assert browser.get(AUTHORIZE, client_id=WEB, request_uri=name).status == 400


def test_a_rejected_pushed_request_is_used_up(fake_issuer: RunningIssuer, ask: Call, browser: Browser) -> None:
    silent, outdated = (push(ask, fake_issuer, **more).json()["request_uri"] for more in ({"prompt": "none"}, {}))
    assert redirected(browser.get(AUTHORIZE, client_id=WEB, request_uri=silent))["error"] == "login_required"
    fake_issuer.put("servers", "default", audience="a", scopes=["api:read"])
    assert redirected(browser.get(AUTHORIZE, client_id=WEB, request_uri=outdated))["error"] == "invalid_scope"
    fake_issuer.put("servers", "default", audience="a")
    responses = [browser.get(AUTHORIZE, client_id=WEB, request_uri=name) for name in (silent, outdated)]
    assert [response.status for response in responses] == [400, 400]


def test_a_pushed_request_is_used_up_even_if_its_client_was_removed(
    fake_issuer: RunningIssuer, ask: Call, browser: Browser
) -> None:
    browser.sign_in(browser.authorize())
    name = push(ask, fake_issuer, prompt="consent").json()["request_uri"]
    action, hidden = forms(browser.get(browser.get(AUTHORIZE, client_id=WEB, request_uri=name).headers["Location"]))[0]
    removed = fake_issuer.remove("clients", WEB)
    assert b"No client" in browser.post(action, {**hidden, "decision": "allow"}).body
    known = {member: removed[member] for member in ("name", "secret", "grant_types", "redirect_uris")}
    fake_issuer.put("clients", WEB, **known)
    assert UNKNOWN_REQUEST_URI in browser.get(AUTHORIZE, client_id=WEB, request_uri=name).body
