from __future__ import annotations

from collections.abc import Callable
from typing import Any

import seeded
from scripted_browser import CALLBACK, WEB, Browser, redirected

from fakeissuer.handle import Handle
from fakeissuer.in_process import running

Call = Callable[..., Any]
ASKED = {"response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s"}


def push(ask: Call, issuer: Handle, **more: str) -> Any:
    return ask(f"{issuer.issuer_url()}/v1/par", "POST", form={**ASKED, **more}, client=seeded.WEB)


def test_a_pushed_request_is_used_once(fake_issuer: Handle, ask: Call, browser: Browser) -> None:
    answer = push(ask, fake_issuer)
    assert (answer.status, answer.json()["expires_in"]) == (200, 3600)
    name = answer.json()["request_uri"]
    assert name.startswith("urn:okta:")
    url = "/oauth2/default/v1/authorize"
    assert browser.get(url, client_id="another", request_uri=name).status == 400
    started = browser.get(url, client_id=WEB, request_uri=name)
    assert redirected(browser.sign_in(started))["state"] == "s"
    assert browser.get(url, client_id=WEB, request_uri=name).status == 400


def test_a_pushed_request_is_checked(fake_issuer: Handle, ask: Call) -> None:
    refused = [
        push(ask, fake_issuer, response_type="magic"),
        push(ask, fake_issuer, redirect_uri="https://evil.test"),
        push(ask, fake_issuer, request_uri="urn:okta:x"),
    ]
    assert [answer.status for answer in refused] == [400] * 3
    assert refused[0].json()["error"] == "unsupported_response_type"


def test_an_hour_later_it_is_gone(fake_issuer: Handle, ask: Call, browser: Browser) -> None:
    name = push(ask, fake_issuer).json()["request_uri"]
    fake_issuer.clock.advance(3600)
    assert browser.get("/oauth2/default/v1/authorize", client_id=WEB, request_uri=name).status == 400


def test_the_strict_profile_answers_created(ask: Call) -> None:
    with running(profile="strict-rfc") as issuer:
        assert push(ask, issuer).status == 201
