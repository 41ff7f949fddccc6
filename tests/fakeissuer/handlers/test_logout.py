from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scripted_browser import CALLBACK, WEB, Browser, redirected

from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
URL = "/oauth2/default/v1/logout"


@pytest.fixture
def id_token(code: Call, redeem: Call) -> str:
    response = redeem("authorization_code", code=code(), redirect_uri=CALLBACK).json()
    return str(response["id_token"])


def is_signed_in(browser: Browser) -> bool:
    return "code" in redirected(browser.authorize(prompt="none"))


def test_a_logout_ends_the_session_and_redirects_to_the_client(
    fake_issuer: RunningIssuer, browser: Browser, id_token: str
) -> None:
    fake_issuer.clock.advance(3601)
    assert is_signed_in(browser)
    response = browser.get(URL, id_token_hint=id_token, post_logout_redirect_uri=f"{CALLBACK}?a=b", state="x y")
    assert (response.status, response.headers["Location"]) == (302, f"{CALLBACK}?a=b&state=x+y")
    assert not is_signed_in(browser)


def test_a_logout_without_a_redirect_uri_shows_a_page(browser: Browser, id_token: str) -> None:
    response = browser.post(URL, {"id_token_hint": id_token})
    assert (response.status, b"signed out" in response.body) == (200, True)
    assert not is_signed_in(browser)
    assert browser.get(URL, id_token_hint=id_token, post_logout_redirect_uri=CALLBACK).headers["Location"] == CALLBACK


def test_the_id_token_of_another_user_ends_no_session(
    fake_issuer: RunningIssuer, browser: Browser, id_token: str
) -> None:
    bobs = fake_issuer.token(kind="id", sub="bob@example.com")
    assert browser.get(URL, id_token_hint=bobs).status == 200
    assert is_signed_in(browser)


def test_a_wrong_hint_or_redirect_uri_shows_an_error_page(
    fake_issuer: RunningIssuer, browser: Browser, id_token: str
) -> None:
    of_unknown_client = fake_issuer.token(kind="id", cid="unknown")
    for hint in ("", "x", fake_issuer.token(), fake_issuer.token(kind="id", server="partner"), of_unknown_client):
        response = browser.get(URL, id_token_hint=hint)
        assert (response.status, response.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    evil = browser.get(URL, id_token_hint=id_token, post_logout_redirect_uri="https://evil.test")
    assert evil.status == 400
    assert is_signed_in(browser)
    assert fake_issuer.get("clients", WEB)["post_logout_redirect_uris"]
