"""Signing out (OpenID Connect RP-Initiated Logout 1.0 section 2), and the error pages of bad links."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from browser_actions import landed, press, shows
from chromium import violations
from scripted_browser import authorization_url
from selenium.webdriver import Chrome

from fakeissuer.server.running_issuer import RunningIssuer

HYBRID = {
    "name": "hybrid",
    "secret": "s",
    "grant_types": ["authorization_code", "implicit"],
    "redirect_uris": ["http://127.0.0.1:*"],
    "post_logout_redirect_uris": ["http://127.0.0.1:*"],
}


@pytest.fixture
def logout(browser: Chrome, fake_issuer: RunningIssuer, client_url: str) -> str:
    """The URL that signs out alice, who is signed in."""
    fake_issuer.put("clients", "hybrid", **HYBRID)
    browser.get(
        authorization_url(
            fake_issuer.url, client_id="hybrid", redirect_uri=f"{client_url}/cb", response_type="code id_token"
        )
    )
    press(browser, "Alice Adams (alice@example.com)")
    landed(browser, client_url)
    # The browser does not send the fragment; a script of the client would read it.
    fragment = dict(parse_qsl(urlsplit(browser.execute_script("return location.href")).fragment))
    return f"{fake_issuer.issuer_url()}/v1/logout?{urlencode({'id_token_hint': fragment['id_token']})}"


def test_signing_out_shows_a_page_and_ends_the_session(
    browser: Chrome, fake_issuer: RunningIssuer, client_url: str, logout: str
) -> None:
    browser.get(logout)
    assert shows(browser, "h1", "You are signed out")
    browser.get(authorization_url(fake_issuer.url, redirect_uri=f"{client_url}/cb"))
    assert shows(browser, "h1", "Sign in to web app")


def test_signing_out_redirects_to_the_client(browser: Chrome, client_url: str, logout: str) -> None:
    browser.get(f"{logout}&{urlencode({'post_logout_redirect_uri': f'{client_url}/bye', 'state': 's 1'})}")
    assert landed(browser, f"{client_url}/bye") == {"state": "s 1"}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/oauth2/default/v1/authorize?client_id=unknown", "invalid_client"),
        (
            "/oauth2/default/v1/authorize?client_id=0oaweb00000000000001&redirect_uri=http://a.test",
            "invalid_request",
        ),
        ("/oauth2/default/v1/logout", "invalid_request"),
        ("/signin?request=unknown", "invalid_request"),
        ("/consent?request=unknown", "invalid_request"),
    ],
)
def test_a_bad_link_shows_an_error_page(browser: Chrome, fake_issuer: RunningIssuer, path: str, code: str) -> None:
    browser.get(f"{fake_issuer.url}{path}")
    assert shows(browser, "h1", "This does not work")
    assert browser.title == "This does not work - fake issuer"
    assert shows(browser, "code", code)
    assert urlsplit(browser.current_url).path == path.partition("?")[0]
    complaints = violations(browser)
    assert (len(complaints), "status of 400" in complaints[0]) == (1, True)
