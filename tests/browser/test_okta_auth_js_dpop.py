"""Okta's own library for single-page apps with DPoP on: its tokens are bound, and call the API from another origin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_actions import landed, press
from chromium import violations
from client_site import Page, site
from programs import Start, listening
from selenium.webdriver import Chrome
from tornado.web import StaticFileHandler

from fakeissuer import RunningIssuer

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "tests/clients/node/node_modules/@okta/okta-auth-js/dist"

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
  scopes: ["openid", "email", "offline_access", "api:read"],
  tokenManager: { storage: "sessionStorage", autoRenew: false },
  dpop: true,
});
%s
</script>
"""


def _code_of_the_page() -> str:
    """Return the function that the documentation gives to the authors of clients."""
    page = (ROOT / "docs/how-to/dpop-clients.rst").read_text("utf-8")
    found = re.search(r"   // call-api\.js\n((?:   .*\n|\n)+)", page)
    assert found is not None
    return found[1]


def _run(browser: Chrome, script: str) -> Any:
    """Return the result of a script in the app, or the message of its exception."""
    body = "const [done] = arguments; (async () => {%s})().then(done, (error) => done({error: error.message}))"
    return browser.execute_async_script(body % script)


@pytest.fixture
def app(browser: Chrome, fake_issuer: RunningIssuer) -> Iterator[str]:
    """The app, in which bob has just signed in."""
    html = HTML % (json.dumps(fake_issuer.issuer_url()), _code_of_the_page())
    library = ("/lib/(.*)", StaticFileHandler, {"path": str(BUNDLE)})
    with site(library, (".*", Page, {"html": html})) as url:
        browser.get(url)
        browser.execute_script("auth.signInWithRedirect()")
        press(browser, "Bob Brown (bob@example.com)")
        landed(browser, f"{url}/cb")
        signed_in = """
            const {tokens} = await auth.token.parseFromUrl();
            auth.tokenManager.setTokens(tokens);
            const {cnf} = auth.token.decode(tokens.accessToken.accessToken).payload;
            return [tokens.accessToken.tokenType, Object.keys(cnf)];
        """
        assert ["DPoP", ["jkt"]] == _run(browser, signed_in)
        yield url


def _expect_rejections(browser: Chrome, *statuses: int) -> None:
    """Check that the browser reported requests with these statuses, and nothing else."""
    assert [str(status) for status in statuses] == [
        found for text in violations(browser) for found in re.findall(r"status of (\d{3})", text)
    ]


def test_the_library_calls_the_api_with_the_nonces_of_the_issuer_and_of_the_api(
    browser: Chrome, fake_issuer: RunningIssuer, app: str, start: Start
) -> None:
    assert [400, 200] == [
        request.status for request in fake_issuer.requests("token").requests if request.method == "POST"
    ]
    _expect_rejections(browser, 400)
    issuer = fake_issuer.issuer_url()
    service = start(
        "service", "--port", "0",
        OKTA_OAUTH2_ISSUER=issuer, SERVICE_DPOP_NONCE="true", SERVICE_CORS_ORIGINS=app,
    )  # fmt: skip
    url = f"{listening(service)}/api/whoami"
    script = "const response = await callAPI(auth, %s); return (await response.json()).sub"
    assert "bob@example.com" == _run(browser, script % json.dumps(url))
    _expect_rejections(browser, 401)
    service.terminate()
    assert ["401", "200"] == re.findall(r"GET /api/whoami (\d{3})", service.communicate()[1])


def test_the_library_renews_bound_tokens(browser: Chrome, app: str, fake_issuer: RunningIssuer) -> None:
    _expect_rejections(browser, 400)
    script = """
        const before = auth.tokenManager.getTokensSync().accessToken;
        const after = await auth.tokenManager.renew('accessToken');
        const [old, renewed] = [before, after].map((token) => auth.token.decode(token.accessToken).payload);
        return [after.tokenType, old.cnf.jkt === renewed.cnf.jkt, old.jti === renewed.jti];
    """
    assert ["DPoP", True, False] == _run(browser, script)
    _expect_rejections(browser, 400)  # the library does not keep a nonce
    assert [400, 200, 400, 200] == [
        request.status for request in fake_issuer.requests("token").requests if request.method == "POST"
    ]


def test_the_library_reads_userinfo_with_a_proof(browser: Chrome, app: str) -> None:
    _expect_rejections(browser, 400)
    assert "bob@example.com" == _run(browser, "return (await auth.getUser()).email")
