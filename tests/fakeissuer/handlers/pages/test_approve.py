from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scripted_browser import Browser, forms

from fakeissuer.errors import InvalidRequestError, NotFoundError
from fakeissuer.model.grant_types import CIBA
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
ALICE = {"choice": "alice@example.com"}


def start(issuer: RunningIssuer, ask: Call, **form: str) -> str:
    issuer.put("clients", "app", name="<app>", secret="s", grant_types=[CIBA])
    asked = {"scope": "openid", "login_hint": "alice@example.com", **form}
    got = ask(f"{issuer.issuer_url()}/v1/bc/authorize", "POST", form=asked, client="app:s")
    assert got.status == 200, got.body
    return str(got.json()["auth_req_id"])


def poll(issuer: RunningIssuer, ask: Call, auth_req_id: str) -> Any:
    form = {"grant_type": CIBA, "auth_req_id": auth_req_id}
    return ask(f"{issuer.issuer_url()}/v1/token", "POST", form=form, client="app:s")


def test_a_user_approves_one_request_and_denies_the_next(
    fake_issuer: RunningIssuer, ask: Call, browser: Browser
) -> None:
    first, second = start(fake_issuer, ask, binding_message="Pay 5"), start(fake_issuer, ask)
    action, hidden = forms(browser.get("/approve"))[0]
    again = browser.post(action, {**hidden, "username": "alice@example.com", "password": "wrong"})
    assert b'role="alert"' in again.body
    asked = browser.post(action, {**hidden, **ALICE})
    assert b"<h1>&lt;app&gt; requests access</h1>" in asked.body
    assert b"<strong>Pay 5</strong>" in asked.body
    action, hidden = forms(asked)[0]
    action, hidden = forms(browser.post(action, {**hidden, "decision": "allow"}))[0]
    done = browser.post(action, {**hidden, "decision": "deny"})
    assert b"Nothing waits" in done.body
    assert poll(fake_issuer, ask, first).status == 200
    assert poll(fake_issuer, ask, second).json()["error"] == "access_denied"
    assert browser.post(action, {**hidden, "decision": "allow"}).status == 400


def test_nobody_approves_for_somebody_else(fake_issuer: RunningIssuer, ask: Call, browser: Browser) -> None:
    auth_req_id = start(fake_issuer, ask)
    action, hidden = forms(browser.get("/approve"))[0]
    bobs = browser.post(action, {**hidden, "choice": "bob@example.com"})
    assert b"Nothing waits" in bobs.body
    assert browser.post(action, {**hidden, "decision": "allow", "interaction": ""}).status == 400
    assert poll(fake_issuer, ask, auth_req_id).json()["error"] == "authorization_pending"


def test_a_client_that_is_gone_gets_nothing(fake_issuer: RunningIssuer, ask: Call, browser: Browser) -> None:
    start(fake_issuer, ask)
    fake_issuer.remove("clients", "app")
    action, hidden = forms(browser.get("/approve"))[0]
    action, hidden = forms(browser.post(action, {**hidden, **ALICE}))[0]
    assert b"Nothing waits" in browser.post(action, {**hidden, "decision": "allow"}).body


def test_a_control_call_shows_and_settles_what_waits(fake_issuer: RunningIssuer, ask: Call) -> None:
    auth_req_id = start(fake_issuer, ask, binding_message="Pay 5")
    url = f"{fake_issuer.url}/_fake/approvals"
    (waiting,) = ask(url).json()
    assert (waiting["login"], waiting["binding_message"]) == ("alice@example.com", "Pay 5")
    assert fake_issuer.approvals()[0].client_id == "app"
    assert ask(url, "POST", body=b'{"login": "alice@example.com"}').json() == [waiting]
    assert poll(fake_issuer, ask, auth_req_id).status == 200
    assert ask(url, "POST", body=b'{"login": "alice@example.com"}').status == 404
    with pytest.raises(NotFoundError, match="pending"):
        fake_issuer.approve("bob@example.com")


def test_the_access_policy_is_asked_when_it_is_approved(fake_issuer: RunningIssuer, ask: Call) -> None:
    start(fake_issuer, ask)
    fake_issuer.put("servers", "default", audience="a", policy=[])
    with pytest.raises(InvalidRequestError, match="policy"):
        fake_issuer.approve("alice@example.com")


def test_what_the_policy_refuses_leaves_all_that_waits_as_it_was(fake_issuer: RunningIssuer, ask: Call) -> None:
    first, second = start(fake_issuer, ask), start(fake_issuer, ask, scope="openid api:write")
    fake_issuer.put("servers", "default", audience="a", policy=[{"scopes": ["openid"]}])
    with pytest.raises(InvalidRequestError, match="policy"):
        fake_issuer.approve("alice@example.com")
    assert len(fake_issuer.approvals()) == 2
    errors = [poll(fake_issuer, ask, auth_req_id).json()["error"] for auth_req_id in (first, second)]
    assert errors == ["authorization_pending"] * 2


def test_auto_login_keeps_nothing_that_the_policy_refuses(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        issuer.put("servers", "default", audience="a", policy=[])
        issuer.put("clients", "app", name="app", secret="s", grant_types=[CIBA])
        form = {"scope": "openid", "login_hint": "alice@example.com"}
        answer = ask(f"{issuer.issuer_url()}/v1/bc/authorize", "POST", form=form, client="app:s")
        assert answer.json()["error"] == "access_denied"
        assert issuer.approvals() == []


def test_auto_login_approves_for_its_user_at_once(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        assert poll(issuer, ask, start(issuer, ask)).status == 200
        of_bob = start(issuer, ask, login_hint="bob@example.com")
        assert poll(issuer, ask, of_bob).json()["error"] == "authorization_pending"


def test_an_approval_is_looked_at_again_when_it_is_fetched(fake_issuer: RunningIssuer, ask: Call) -> None:
    auth_req_id = start(fake_issuer, ask)
    fake_issuer.approve("alice@example.com")
    fake_issuer.put("clients", "app", name="<app>", secret="s", grant_types=[CIBA], users=["bob@example.com"])
    assert poll(fake_issuer, ask, auth_req_id).status == 400


@pytest.mark.parametrize(("asked", "told"), [(None, 300), ("1", 1)])
def test_its_lifetime_is_told_in_whole_seconds_of_which_none_is_missing(
    asked: str | None, told: int, fake_issuer: RunningIssuer, ask: Call
) -> None:
    fake_issuer.put("clients", "app", name="app", secret="s", grant_types=[CIBA])
    form = {"scope": "openid", "login_hint": "alice@example.com", "requested_expiry": asked}
    answer = ask(
        f"{fake_issuer.issuer_url()}/v1/bc/authorize", "POST", form={k: v for k, v in form.items() if v}, client="app:s"
    )
    assert answer.json()["expires_in"] == told
