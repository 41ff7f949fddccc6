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
    parameters = {"scope": "openid", "login_hint": "alice@example.com", **form}
    response = ask(f"{issuer.issuer_url()}/v1/bc/authorize", "POST", form=parameters, client="app:s")
    assert response.status == 200, response.body
    return str(response.json()["auth_req_id"])


def poll(issuer: RunningIssuer, ask: Call, auth_req_id: str) -> Any:
    form = {"grant_type": CIBA, "auth_req_id": auth_req_id}
    return ask(f"{issuer.issuer_url()}/v1/token", "POST", form=form, client="app:s")


def test_a_user_approves_one_request_and_denies_the_next(
    fake_issuer: RunningIssuer, ask: Call, browser: Browser
) -> None:
    first, second = start(fake_issuer, ask, binding_message="Pay 5"), start(fake_issuer, ask)
    action, hidden = forms(browser.get("/approve"))[0]
    failed = browser.post(action, {**hidden, "username": "alice@example.com", "password": "wrong"})
    assert b'role="alert"' in failed.body
    consent_page = browser.post(action, {**hidden, **ALICE})
    assert b"<h1>&lt;app&gt; asks for access</h1>" in consent_page.body
    assert b"<strong>Pay 5</strong>" in consent_page.body
    action, hidden = forms(consent_page)[0]
    action, hidden = forms(browser.post(action, {**hidden, "decision": "allow"}))[0]
    last_page = browser.post(action, {**hidden, "decision": "deny"})
    assert b"Nothing waits" in last_page.body
    assert poll(fake_issuer, ask, first).status == 200
    assert poll(fake_issuer, ask, second).json()["error"] == "access_denied"
    assert browser.post(action, {**hidden, "decision": "allow"}).status == 400


def test_a_user_cannot_approve_a_request_of_another_user(
    fake_issuer: RunningIssuer, ask: Call, browser: Browser
) -> None:
    auth_req_id = start(fake_issuer, ask)
    action, hidden = forms(browser.get("/approve"))[0]
    bobs_page = browser.post(action, {**hidden, "choice": "bob@example.com"})
    assert b"Nothing waits" in bobs_page.body
    assert browser.post(action, {**hidden, "decision": "allow", "interaction": ""}).status == 400
    assert poll(fake_issuer, ask, auth_req_id).json()["error"] == "authorization_pending"


def test_a_request_of_a_removed_client_is_not_shown_again(
    fake_issuer: RunningIssuer, ask: Call, browser: Browser
) -> None:
    start(fake_issuer, ask)
    fake_issuer.remove("clients", "app")
    action, hidden = forms(browser.get("/approve"))[0]
    action, hidden = forms(browser.post(action, {**hidden, **ALICE}))[0]
    assert b"Nothing waits" in browser.post(action, {**hidden, "decision": "allow"}).body


def test_the_control_plane_lists_and_approves_pending_requests(fake_issuer: RunningIssuer, ask: Call) -> None:
    auth_req_id = start(fake_issuer, ask, binding_message="Pay 5")
    url = f"{fake_issuer.url}/_fake/approvals"
    (pending,) = ask(url).json()
    assert (pending["login"], pending["binding_message"]) == ("alice@example.com", "Pay 5")
    assert fake_issuer.approvals()[0].client_id == "app"
    assert ask(url, "POST", body=b'{"login": "alice@example.com"}').json() == [pending]
    assert poll(fake_issuer, ask, auth_req_id).status == 200
    assert ask(url, "POST", body=b'{"login": "alice@example.com"}').status == 404
    with pytest.raises(NotFoundError, match="pending"):
        fake_issuer.approve("bob@example.com")


def test_the_access_policy_applies_to_an_approval(fake_issuer: RunningIssuer, ask: Call) -> None:
    start(fake_issuer, ask)
    fake_issuer.put("servers", "default", audience="a", policy=[])
    with pytest.raises(InvalidRequestError, match="policy"):
        fake_issuer.approve("alice@example.com")


def test_a_rejected_approval_leaves_all_requests_pending(fake_issuer: RunningIssuer, ask: Call) -> None:
    first, second = start(fake_issuer, ask), start(fake_issuer, ask, scope="openid api:write")
    fake_issuer.put("servers", "default", audience="a", policy=[{"scopes": ["openid"]}])
    with pytest.raises(InvalidRequestError, match="policy"):
        fake_issuer.approve("alice@example.com")
    assert len(fake_issuer.approvals()) == 2
    errors = [poll(fake_issuer, ask, auth_req_id).json()["error"] for auth_req_id in (first, second)]
    assert errors == ["authorization_pending"] * 2


def test_auto_login_stores_no_request_that_the_policy_rejects(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        issuer.put("servers", "default", audience="a", policy=[])
        issuer.put("clients", "app", name="app", secret="s", grant_types=[CIBA])
        form = {"scope": "openid", "login_hint": "alice@example.com"}
        response = ask(f"{issuer.issuer_url()}/v1/bc/authorize", "POST", form=form, client="app:s")
        assert response.json()["error"] == "access_denied"
        assert issuer.approvals() == []


def test_auto_login_approves_requests_of_its_user_at_once(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        assert poll(issuer, ask, start(issuer, ask)).status == 200
        bobs_request = start(issuer, ask, login_hint="bob@example.com")
        assert poll(issuer, ask, bobs_request).json()["error"] == "authorization_pending"


def test_an_approval_is_checked_again_at_the_token_endpoint(fake_issuer: RunningIssuer, ask: Call) -> None:
    auth_req_id = start(fake_issuer, ask)
    fake_issuer.approve("alice@example.com")
    fake_issuer.put("clients", "app", name="<app>", secret="s", grant_types=[CIBA], users=["bob@example.com"])
    assert poll(fake_issuer, ask, auth_req_id).status == 400


@pytest.mark.parametrize(("requested", "expires_in"), [(None, 300), ("1", 1)])
def test_expires_in_is_the_exact_lifetime_in_seconds(
    requested: str | None, expires_in: int, fake_issuer: RunningIssuer, ask: Call
) -> None:
    fake_issuer.put("clients", "app", name="app", secret="s", grant_types=[CIBA])
    form = {"scope": "openid", "login_hint": "alice@example.com", "requested_expiry": requested}
    response = ask(
        f"{fake_issuer.issuer_url()}/v1/bc/authorize", "POST", form={k: v for k, v in form.items() if v}, client="app:s"
    )
    assert response.json()["expires_in"] == expires_in
