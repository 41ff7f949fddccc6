"""Okta's own library for single-page apps, unmodified from npm, signs in at the fake issuer from another origin.

The library does the work of the app: PKCE, the exchange, and checking the ID token (OpenID Connect Core 1.0 section
3.1.3.7) with the browser's own cryptography.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_actions import landed, press
from client_site import Page, site
from selenium.webdriver import Chrome
from tornado.web import StaticFileHandler

from fakeissuer.model.endpoints import EndpointName
from fakeissuer.server.running_issuer import RunningIssuer

BUNDLE = Path(__file__).parents[1] / "clients/node/node_modules/@okta/okta-auth-js/dist"

pytestmark = pytest.mark.skipif(
    not BUNDLE.is_dir(), reason="okta-auth-js is not installed: npm install --prefix tests/clients/node"
)

HTML = """
<title>single-page app</title>
<script src="/lib/okta-auth-js.min.js"></script>
<script>
"use strict";
const auth = new OktaAuth({
  issuer: %s,
  clientId: "0oaspa00000000000001",
  redirectUri: location.origin + "/cb",
  postLogoutRedirectUri: location.origin + "/bye",
  scopes: ["openid", "email", "offline_access", "api:read"],
  tokenManager: { storage: "sessionStorage", autoRenew: false },
});
</script>
"""


def run(browser: Chrome, script: str) -> Any:
    """Return the result of a script in the app, or the message of its exception."""
    body = "const [done] = arguments; (async () => {%s})().then(done, (error) => done({error: error.message}))"
    return browser.execute_async_script(body % script)


@pytest.fixture
def app(browser: Chrome, fake_issuer: RunningIssuer) -> Iterator[str]:
    """The app, to which bob has just returned from the sign-in page with a code."""
    html = HTML % json.dumps(fake_issuer.issuer_url())
    library = ("/lib/(.*)", StaticFileHandler, {"path": str(BUNDLE)})
    with site(library, (".*", Page, {"html": html})) as url:
        browser.get(url)
        browser.execute_script("auth.signInWithRedirect({state: 'from here'})")
        press(browser, "Bob Brown (bob@example.com)")
        assert landed(browser, f"{url}/cb").keys() == {"code", "state"}
        yield url


def sign_in(browser: Chrome) -> Any:
    return run(
        browser,
        """
        const {tokens, state} = await auth.token.parseFromUrl();
        auth.tokenManager.setTokens(tokens);
        return {kinds: Object.keys(tokens).sort(), state, claims: tokens.idToken.claims, url: location.href};
        """,
    )


def statuses(issuer: RunningIssuer, endpoint: EndpointName) -> list[int | None]:
    return [request.status for request in issuer.requests(endpoint).requests if request.method == "POST"]


def test_the_library_signs_a_user_in_and_accepts_the_tokens(
    browser: Chrome, fake_issuer: RunningIssuer, app: str
) -> None:
    got = sign_in(browser)
    assert got["kinds"] == ["accessToken", "idToken", "refreshToken"]
    assert (got["state"], got["url"]) == ("from here", f"{app}/cb")
    assert got["claims"]["email"] == "bob@example.com"
    assert got["claims"]["iss"] == fake_issuer.issuer_url()
    assert run(browser, "return auth.isAuthenticated()") is True
    assert statuses(fake_issuer, "token") == [200]


def test_the_library_reads_userinfo(browser: Chrome, app: str) -> None:
    sign_in(browser)
    assert run(browser, "return (await auth.getUser()).email") == "bob@example.com"


def test_the_library_renews_the_tokens(browser: Chrome, app: str) -> None:
    sign_in(browser)
    held = """
        const {accessToken, refreshToken} = await auth.tokenManager.getTokens();
        return [accessToken.accessToken, refreshToken.refreshToken];
    """
    before = run(browser, held)
    scopes = run(browser, "return (await auth.tokenManager.renew('accessToken')).scopes.sort()")
    assert scopes == ["api:read", "email", "offline_access", "openid"]
    after = run(browser, held)
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_the_library_signs_the_user_out(browser: Chrome, fake_issuer: RunningIssuer, app: str) -> None:
    sign_in(browser)
    browser.execute_script("auth.signOut({clearTokensBeforeRedirect: true})")
    landed(browser, f"{app}/bye")
    assert run(browser, "return auth.isAuthenticated()") is False
    assert [request.status for request in fake_issuer.requests("revoke").requests if request.method == "POST"] == [
        200
    ] * 2
    browser.execute_script("auth.signInWithRedirect()")
    press(browser, "Cancel")
    assert landed(browser, f"{app}/cb")["error"] == "access_denied"


def test_the_library_rejects_a_token_signed_by_an_unpublished_key(
    browser: Chrome, fake_issuer: RunningIssuer, app: str
) -> None:
    fake_issuer.delay_publication()
    got = sign_in(browser)
    assert "was not found in the server's keys" in got["error"]


def test_the_library_rejects_a_response_with_another_state(browser: Chrome, app: str) -> None:
    browser.get(f"{app}/cb?code=stolen&state=unknown")
    assert "state doesn't match" in sign_in(browser)["error"]
