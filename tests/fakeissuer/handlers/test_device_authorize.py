from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from devices import poll_for, start_device
from scripted_browser import Browser, forms

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.seed import DEVICE_APP

Call = Callable[..., Any]


@pytest.fixture
def device(fake_issuer: RunningIssuer) -> dict[str, Any]:
    return start_device(fake_issuer)


@pytest.fixture
def poll(fake_issuer: RunningIssuer, device: dict[str, Any]) -> Call:
    return partial(poll_for, fake_issuer, device)


def test_a_user_approves_a_device(
    fake_issuer: RunningIssuer, browser: Browser, device: dict[str, Any], poll: Call
) -> None:
    assert poll().json()["error"] == "authorization_pending"
    action, hidden = forms(browser.get(device["verification_uri_complete"]))[0]
    assert hidden["user_code"] == device["user_code"]
    wrong = browser.post(action, {**hidden, "user_code": "nonsense"})
    assert b"no device" in wrong.body
    typed = f"{device['user_code'][:4]}-{device['user_code'][4:].lower()}"
    action, hidden = forms(browser.post(action, {**hidden, "user_code": typed}))[0]
    again = browser.post(action, {**hidden, "username": "alice@example.com", "password": "wrong"})
    assert b"wrong" in again.body
    action, hidden = forms(browser.post(action, {**hidden, "choice": "bob@example.com"}))[0]
    assert b"activated" in browser.post(action, {**hidden, "decision": "allow"}).body
    fake_issuer.clock.advance(6)
    response = poll()
    assert list(response.json()) == ["token_type", "expires_in", "access_token", "scope", "id_token"]
    fake_issuer.clock.advance(6)
    assert poll().json()["error"] == "invalid_grant"
    assert b"no device" in browser.post("/activate", {**hidden, "user_code": device["user_code"]}).body


def test_a_user_denies_a_device(
    fake_issuer: RunningIssuer, browser: Browser, device: dict[str, Any], poll: Call
) -> None:
    browser.sign_in(browser.authorize())
    action, hidden = forms(browser.get(device["verification_uri_complete"]))[0]
    action, hidden = forms(browser.post(action, hidden))[0]
    assert b"not let in" in browser.post(action, {**hidden, "decision": "deny"}).body
    assert poll().json()["error"] == "access_denied"


def test_a_device_that_polls_too_often_must_slow_down(fake_issuer: RunningIssuer, poll: Call) -> None:
    fake_issuer.clock.freeze()
    seen = []
    for seconds in (0, 4, 9, 10, 600):
        fake_issuer.clock.advance(seconds)
        seen.append(poll().json()["error"])
    assert seen == ["authorization_pending", "slow_down", "slow_down", "slow_down", "expired_token"]


def test_a_device_code_is_valid_only_at_its_server(poll: Call) -> None:
    assert poll(device_code="unknown").json()["error"] == "invalid_grant"
    assert poll(server="partner").json()["error"] == "invalid_grant"


def test_a_device_of_a_removed_client_is_unknown(
    fake_issuer: RunningIssuer, browser: Browser, device: dict[str, Any]
) -> None:
    action, hidden = forms(browser.get(device["verification_uri_complete"]))[0]
    fake_issuer.remove("clients", DEVICE_APP)
    assert b"no device" in browser.post(action, hidden).body


def test_auto_login_approves_a_device_at_once(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        device = start_device(issuer)
        assert b"activated" in ask(device["verification_uri_complete"]).body
        assert poll_for(issuer, device).status == 200


def test_auto_login_approves_no_device_for_a_link_on_another_site(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        device = start_device(issuer)
        page = ask(device["verification_uri_complete"], headers={"Sec-Fetch-Site": "cross-site"})
        assert forms(page)[0][0] == "/activate"
        assert poll_for(issuer, device).json()["error"] == "authorization_pending"
