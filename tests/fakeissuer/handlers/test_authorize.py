from __future__ import annotations

import html
import http.client
import json
import re
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import pytest
from scripted_browser import CALLBACK, CHALLENGE, SPA, WEB, Browser, forms, redirected

from fakeissuer.model.claims import left_half_hash
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
HYBRID: dict[str, Any] = {
    "name": "hybrid",
    "secret": "s",
    "grant_types": ["authorization_code", "implicit"],
    "redirect_uris": ["http://127.0.0.1:*"],
}


def test_a_user_signs_in_once_for_all_clients(browser: Browser) -> None:
    first = redirected(browser.sign_in(browser.authorize()))
    assert list(first) == ["code", "state"]
    again = redirected(
        browser.authorize("partner", client_id=SPA, code_challenge=CHALLENGE, code_challenge_method="S256")
    )
    assert again["code"] != first["code"]


def test_an_authorization_request_may_be_posted(browser: Browser) -> None:
    form = {"client_id": WEB, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "é"}
    assert browser.post("/oauth2/default/v1/authorize", form).headers["Location"].startswith("/signin?request=")


def test_a_wrong_password_shows_the_page_again(browser: Browser) -> None:
    response = browser.sign_in(browser.authorize(), password="wrong")
    assert (response.status, b'role="alert"' in response.body) == (200, True)
    for login in ("", "x" * 201):
        assert browser.sign_in(browser.authorize(), login).status == 200


def test_a_user_picks_an_account_or_cancels(browser: Browser) -> None:
    for sent, expected in (({"choice": "bob@example.com"}, {"code", "state"}), ({"cancel": "yes"}, {"state", "error"})):
        location = browser.authorize(prompt="login").headers["Location"]
        action, hidden = forms(browser.get(location))[0]
        assert expected <= redirected(browser.post(action, {**hidden, **sent})).keys()


def test_the_consent_page_requires_a_signed_in_user(browser: Browser, fake_issuer: RunningIssuer) -> None:
    fake_issuer.put("clients", "consenting", **{**HYBRID, "consent_method": "REQUIRED"})
    location = browser.authorize(client_id="consenting").headers["Location"]
    response = browser.get(location.replace("/signin", "/consent"))
    assert (response.status, b"start again" in response.body) == (400, True)


def test_a_form_of_another_site_or_browser_is_rejected(browser: Browser, fake_issuer: RunningIssuer, ask: Call) -> None:
    location = browser.authorize().headers["Location"]
    action, hidden = forms(browser.get(location))[0]
    assert browser.post(action, {**hidden, "csrf": "forged", "choice": "bob@example.com"}).status == 400
    assert browser.post(action, {**hidden, "request": "unknown"}).status == 400
    other = Browser(ask, fake_issuer.url)
    assert other.get(location).status == 400
    assert other.post(action, {**hidden, "choice": "bob@example.com"}).status == 400
    assert browser.ask(f"{fake_issuer.url}/signin?request=a&request=b").status == 400


def test_hybrid_and_implicit_responses_hash_the_tokens_sent_with_them(
    fake_issuer: RunningIssuer, browser: Browser
) -> None:
    fake_issuer.put("clients", "hybrid", **HYBRID)
    browser.sign_in(browser.authorize())
    response = browser.authorize(client_id="hybrid", response_type="code id_token token")
    assert urlsplit(response.headers["Location"]).query == ""
    sent = redirected(response)
    assert list(sent) == ["code", "id_token", "access_token", "token_type", "expires_in", "scope", "state"]
    claims = jwt.decode(sent["id_token"], options={"verify_signature": False})
    assert (claims["c_hash"], claims["at_hash"]) == (left_half_hash(sent["code"]), left_half_hash(sent["access_token"]))
    alone = redirected(browser.authorize(client_id="hybrid", response_type="id_token", scope="openid profile"))
    whole = jwt.decode(alone["id_token"], options={"verify_signature": False})
    assert (whole["given_name"], "at_hash" in whole) == ("Alice", False)
    assert redirected(browser.authorize(client_id="hybrid", response_type="id_token", nonce=None))["error"]
    assert redirected(browser.authorize(client_id="hybrid", response_type="token", response_mode="query"))["error"]


def test_the_response_is_sent_in_each_response_mode(browser: Browser) -> None:
    browser.sign_in(browser.authorize())
    response = browser.authorize(response_mode="form_post", state='"><script>')
    action, members = forms(response)[0]
    assert (action, members["state"], "code" in members) == (CALLBACK, '"><script>', True)
    assert "form-action 'self' http: https:;" in response.headers["Content-Security-Policy"]
    response = browser.authorize(response_mode="okta_post_message", state="</script>\u2028")
    data = re.search(rb'data-members="([^"]*)" data-origin="([^"]*)"', response.body)
    assert data is not None
    assert json.loads(html.unescape(data[1].decode()))["state"] == "</script>\u2028"
    assert data[2] == b"http://127.0.0.1:5000"
    assert "frame-ancestors http://127.0.0.1:5000" in response.headers["Content-Security-Policy"]
    assert "code" in redirected(browser.authorize(response_mode="fragment"))
    assert "code=" in urlsplit(browser.authorize(redirect_uri=f"{CALLBACK}?a=b").headers["Location"]).query


def test_a_user_consents_once_or_denies(fake_issuer: RunningIssuer, browser: Browser) -> None:
    fake_issuer.put("clients", "consenting", **{**HYBRID, "name": "<i>Named</i>", "consent_method": "REQUIRED"})
    response = browser.sign_in(browser.authorize(client_id="consenting"))
    assert redirected(browser.authorize(client_id="consenting", prompt="none"))["error"] == "consent_required"
    page = browser.get(response.headers["Location"])
    assert b"<i>" not in page.body
    assert b"&lt;i&gt;Named" in page.body
    assert redirected(browser.consent(response, "deny"))["error"] == "access_denied"
    response = browser.authorize(client_id="consenting")
    assert "code" in redirected(browser.consent(response))
    assert "code" in redirected(browser.authorize(client_id="consenting", prompt="none"))
    assert browser.authorize(client_id="consenting", prompt="consent").headers["Location"].startswith("/consent")


def test_a_request_may_require_a_new_sign_in(fake_issuer: RunningIssuer, browser: Browser) -> None:
    browser.sign_in(browser.authorize())
    fake_issuer.clock.advance(100)
    assert "code" in redirected(browser.authorize(prompt="none", max_age="101", login_hint="alice@example.com"))
    for more in ({"max_age": "99"}, {"acr_values": "urn:okta:loa:2fa:any"}, {"login_hint": "bob@example.com"}):
        assert redirected(browser.authorize(prompt="none", **more))["error"] == "login_required"
    assert browser.authorize(prompt="login").headers["Location"].startswith("/signin")
    page = browser.get(browser.authorize(login_hint="bob@example.com").headers["Location"])
    assert forms(page)[0][1]["username"] == "bob@example.com"
    fake_issuer.clock.advance(7200)
    assert redirected(browser.authorize(prompt="none"))["error"] == "login_required"


def test_a_max_age_of_zero_requires_a_new_sign_in(fake_issuer: RunningIssuer, browser: Browser) -> None:
    fake_issuer.clock.freeze()
    browser.sign_in(browser.authorize())
    assert redirected(browser.authorize(prompt="none", max_age="0"))["error"] == "login_required"
    assert "code" in redirected(browser.sign_in(browser.authorize(max_age="0")))


@pytest.mark.parametrize("response_type", ["token", "code token", "id_token", "id_token token", "code id_token"])
def test_tokens_in_a_redirect_require_a_nonce(fake_issuer: RunningIssuer, browser: Browser, response_type: str) -> None:
    fake_issuer.put("clients", "hybrid", **HYBRID)
    browser.sign_in(browser.authorize())
    response = browser.authorize(client_id="hybrid", response_type=response_type, nonce=None)
    assert redirected(response)["error"] == "invalid_request"


def test_the_strict_profile_requires_a_nonce_only_for_an_id_token(ask: Call) -> None:
    with running(profile="strict-rfc", auto_login="alice@example.com") as issuer:
        issuer.put("clients", "hybrid", **HYBRID)
        browser = Browser(ask, issuer.url)
        responses = [
            redirected(browser.authorize(client_id="hybrid", response_type=response_type, nonce=None))
            for response_type in ("token", "id_token")
        ]
        assert ("access_token" in responses[0], responses[1]["error"]) == (True, "invalid_request")


WITH_CONSENT = {**HYBRID, "consent_method": "REQUIRED"}
ELSEWHERE = {**WITH_CONSENT, "redirect_uris": ["https://other.test/cb"]}


@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        (lambda issuer: issuer.remove("clients", "consenting"), 400, b"No client is registered"),
        (lambda issuer: issuer.remove("servers", "default"), 404, b"no authorization server"),
        (lambda issuer: issuer.put("clients", "consenting", **ELSEWHERE), 400, b"redirect_uri is not"),
    ],
)
def test_no_response_is_sent_to_a_client_removed_before_the_consent(
    fake_issuer: RunningIssuer, browser: Browser, decision: str, change: Call, status: int, message: bytes
) -> None:
    fake_issuer.put("clients", "consenting", **WITH_CONSENT)
    consent_redirect = browser.sign_in(browser.authorize(client_id="consenting"))
    action, hidden = forms(browser.get(consent_redirect.headers["Location"]))[0]
    change(fake_issuer)
    response = browser.post(action, {**hidden, "decision": decision})
    assert (response.status, message in response.body) == (status, True)
    assert "Location" not in response.headers


def test_the_tokens_contain_the_requested_acr_value(browser: Browser, redeem: Call) -> None:
    sent = redirected(browser.sign_in(browser.authorize(acr_values="urn:okta:loa:2fa:any")))
    response = redeem("authorization_code", code=sent["code"], redirect_uri=CALLBACK).json()
    tokens = [jwt.decode(response[name], options={"verify_signature": False}) for name in ("access_token", "id_token")]
    assert [token["acr"] for token in tokens] == ["urn:okta:loa:2fa:any"] * 2
    assert tokens[1]["amr"] == ["mfa", "otp", "pwd"]


def test_the_access_policy_applies_to_authorization_requests(fake_issuer: RunningIssuer, browser: Browser) -> None:
    fake_issuer.put("servers", "default", audience="a", policy=[{"groups": ["Admins"]}])
    assert redirected(browser.sign_in(browser.authorize(), "bob@example.com"))["error"] == "access_denied"


def test_auto_login_skips_the_pages_and_respects_prompt_none(ask: Call) -> None:
    with running(auto_login="alice@example.com") as issuer:
        browser = Browser(ask, issuer.url)
        assert redirected(browser.authorize(prompt="none"))["error"] == "login_required"
        assert "code" in redirected(browser.authorize(prompt="consent"))
        assert "code" in redirected(browser.authorize(prompt="none"))


def test_the_strict_profile_names_the_issuer_and_needs_no_state(ask: Call) -> None:
    with running(profile="strict-rfc", auto_login="alice@example.com") as issuer:
        sent = redirected(Browser(ask, issuer.url).authorize(state=None))
        assert (sent["iss"], "state" in sent) == (issuer.issuer_url(), False)


def test_the_session_cookie_is_sent_in_frames_only_over_tls(browser: Browser, tmp_path: Path) -> None:
    cookie = browser.authorize().headers["Set-Cookie"]
    assert cookie.startswith(f"fakeissuer-{urlsplit(browser.url).port}=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")
    file = tmp_path / "ca.pem"
    with running(tls=True, ca_file=file) as issuer:
        trust = ssl.create_default_context(cafile=str(file))
        connection = http.client.HTTPSConnection(urlsplit(issuer.url).netloc, context=trust, timeout=10)
        parameters = {
            "client_id": WEB,
            "response_type": "code",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "s",
        }
        connection.request("GET", f"/oauth2/default/v1/authorize?{urlencode(parameters)}")
        sent = connection.getresponse().headers["Set-Cookie"]
        connection.close()
    assert sent.endswith("; Path=/; HttpOnly; SameSite=None; Secure")


def test_an_unknown_session_cookie_is_replaced(browser: Browser) -> None:
    browser.cookie = f"fakeissuer-{urlsplit(browser.url).port}=made-up"
    assert browser.authorize().headers["Set-Cookie"] is not None


@pytest.mark.fake_issuer_profile("strict-rfc")
def test_the_strict_profile_lets_the_user_choose_an_account(browser: Browser) -> None:
    browser.sign_in(browser.authorize(), "alice@example.com")
    assert "code" in redirected(browser.authorize())
    assert browser.authorize(prompt="select_account").headers["Location"].startswith("/signin")


def test_okta_rejects_select_account(browser: Browser) -> None:
    assert redirected(browser.authorize(prompt="select_account"))["error"] == "invalid_request"
