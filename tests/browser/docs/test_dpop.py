"""The docs page with DPoP: its key, its proofs, both exchanges of nonces, and explained errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser_actions import press, shows, until
from docs_page import (
    SEAL,
    WHOAMI,
    body,
    explanation,
    failed_statuses,
    find,
    open_page,
    paste,
    send,
    serving,
    sign_in_as_alice,
)
from scripted_browser import SPA
from selenium.webdriver import Chrome

from fakeissuer.server.running_issuer import RunningIssuer
from service.tokens.binding.thumbprint import jwk_thumbprint

BOUND = "The token is bound to a key of this page, so it works nowhere else."


def _run(browser: Chrome, script: str) -> Any:
    """Return the result of a script in the page, or the name of its exception."""
    text = "const [done] = arguments; (async () => {%s})().then(done, (error) => done(error.name))"
    return browser.execute_async_script(text % script)


def test_a_user_signs_in_with_a_key_and_both_exchanges_of_nonces(page: Chrome, issuer: RunningIssuer) -> None:
    assert ["400"] == sign_in_as_alice(page)
    assert BOUND == find(page, "#binding").text
    posts = [request.status for request in issuer.requests("token").requests if request.method == "POST"]
    assert [400, 200] == posts
    assert "200 OK" == send(page, WHOAMI)
    key = body(page, WHOAMI)["cnf"]["jkt"]
    assert [] == failed_statuses(page)
    assert "200 OK" == send(page, SEAL, name="a/b c")
    assert ({"key": key}, ["401"]) == (body(page, SEAL), failed_statuses(page))
    assert "200 OK" == send(page, SEAL)
    assert [] == failed_statuses(page)  # the nonce is kept


def test_the_key_is_not_extractable_and_lost_with_its_token(page: Chrome) -> None:
    sign_in_as_alice(page)
    assert [False, ["sign"]] == _run(
        page, "const {privateKey: key} = session.key; return [key.extractable, key.usages]"
    )
    for kind in ("jwk", "pkcs8"):
        assert "InvalidAccessError" == _run(page, f"return crypto.subtle.exportKey('{kind}', session.key.privateKey)")
    assert 0 == _run(page, "return (await indexedDB.databases()).length + localStorage.length + sessionStorage.length")
    press(page, "Discard the token")
    assert [None, ""] == [_run(page, "return session.key"), find(page, "#binding").text]


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "PS256", "RS256", "EdDSA", "Ed25519"])
def test_the_service_accepts_proofs_of_every_algorithm(page: Chrome, issuer: RunningIssuer, algorithm: str) -> None:
    jwk = _run(page, f"session.key = await createKey(['{algorithm}']); return session.key.jwk")
    token = issuer.token(dpop_jkt=jwk_thumbprint({name: value for name, value in jwk.items() if value is not None}))
    _run(page, f"session.token = {json.dumps(token)}")
    assert "200 OK" == send(page, WHOAMI)


def test_a_rejected_proof_and_a_token_without_its_key_are_explained(page: Chrome, issuer: RunningIssuer) -> None:
    sign_in_as_alice(page)
    token = _run(page, "return session.token")
    _run(page, "const now = Date.now; Date.now = () => now() - 600000")
    assert "401 Unauthorized" == send(page, WHOAMI)
    assert explanation(page, WHOAMI).startswith("The proof of the key of the token is rejected. The DPoP proof ")
    paste(page, token)
    assert "" == find(page, "#binding").text
    assert "401 Unauthorized" == send(page, WHOAMI)
    assert "The token is rejected." in explanation(page, WHOAMI)
    paste(page, issuer.token())
    assert "401 Unauthorized" == send(page, SEAL, name="x")
    assert "The token is rejected." in explanation(page, SEAL)


def _publish(issuer: RunningIssuer, **members: object) -> None:
    """Make the issuer publish other metadata."""
    url = issuer.issuer_url()
    own = {"issuer": url, "authorization_endpoint": f"{url}/v1/authorize", "token_endpoint": f"{url}/v1/token"}
    issuer.fail("discovery", status=200, body={**own, **members}, headers={"Access-Control-Allow-Origin": "*"})


def test_an_issuer_without_dpop_issues_a_bearer_token(page: Chrome, issuer: RunningIssuer) -> None:
    _publish(issuer)
    assert [] == sign_in_as_alice(page)
    assert "" == find(page, "#binding").text
    assert "200 OK" == send(page, WHOAMI)


@pytest.mark.parametrize(
    ("mode", "algorithms", "token_type", "sentence"),
    [
        ("off", ["ES256"], "Bearer", ""),
        ("allowed", ["ES256"], "Bearer", ""),
        ("allowed", ["HS256"], "Bearer", ""),
        ("allowed", ["HS256"], "DPoP", "did not return a bearer token"),
        ("off", ["ES256"], "DPoP", "did not return a bearer token"),
        ("required", ["ES256"], "Bearer", "did not bind the token to the key of this page"),
        ("required", ["HS256"], "DPoP", "supports none of its algorithms"),
        ("required", None, "DPoP", ""),
    ],
)
def test_the_mode_decides_which_tokens_are_used(
    page: Chrome, issuer: RunningIssuer, mode: str, algorithms: list[str] | None, token_type: str, sentence: str
) -> None:
    _publish(issuer, **({} if algorithms is None else {"dpop_signing_alg_values_supported": algorithms}))
    answer = {"access_token": "t", "token_type": token_type}
    issuer.fail("token", status=200, body=answer, headers={"Access-Control-Allow-Origin": "*"})
    pending = {"issuer": issuer.issuer_url(), "clientId": SPA, "state": "s", "nonce": "n", "verifier": "v" * 43}
    script = """
        const [pending, mode] = arguments;
        ISSUERS[pending.issuer] = mode;
        sessionStorage.setItem(PENDING, JSON.stringify({...pending, operation: ""}));
        history.replaceState(null, "", "?code=c&state=s");
        document.body.dataset.ready = "";
        finishSignIn().then(useToken).catch(showError).finally(() => { document.body.dataset.ready = "yes"; });
    """
    page.execute_script(script, pending, mode)
    until(page, lambda: page.execute_script("return document.body.dataset.ready || null"))
    assert sentence in find(page, "#problem").text
    shows(page, "#state", "Not signed in." if sentence else "Signed in as an unknown user.")
    assert (BOUND if token_type == "DPoP" and not sentence else "") == find(page, "#binding").text


def test_a_page_whose_api_requires_bound_tokens_signs_in(
    browser: Chrome, issuer: RunningIssuer, tmp_path: Path
) -> None:
    settings = {
        "OKTA_OAUTH2_ISSUER": issuer.issuer_url(),
        "SERVICE_DOCS_CLIENT_ID": SPA,
        "SERVICE_DPOP": "required",
        "SERVICE_DPOP_NONCE": "true",
        "SERVICE_DPOP_ALGORITHMS": "ES384",
    }
    with serving(folder=tmp_path, **settings) as url:
        open_page(browser, f"{url}/docs")
        assert ["400"] == sign_in_as_alice(browser)
        assert "200 OK" == send(browser, WHOAMI)
        assert ["401"] == failed_statuses(browser)
