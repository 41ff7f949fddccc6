"""Attacks on the docs page through a link, or through a malicious issuer."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest
from browser_actions import press, until
from chromium import violations
from docs_page import find, open_page
from scripted_browser import SPA
from selenium.webdriver import Chrome

from fakeissuer.server.running_issuer import RunningIssuer

PENDING = {"clientId": SPA, "state": "s", "nonce": "n", "verifier": "v" * 43, "operation": ""}


def _remember(page: Chrome, issuer: RunningIssuer) -> None:
    """Store the state of a started sign-in in the page."""
    kept = json.dumps({**PENDING, "issuer": issuer.issuer_url()})
    page.execute_script("sessionStorage.setItem('docs-sign-in', arguments[0])", kept)


@pytest.mark.parametrize(
    ("pending", "answer", "sentence"),
    [
        (False, {"code": "c", "state": "s"}, "This page did not start this sign-in."),
        (True, {"code": "c", "state": "other"}, "This page did not start this sign-in."),
        (True, {"code": "c"}, "This page did not start this sign-in."),
        (True, {"code": "c", "state": "s", "iss": "https://evil.example"}, "comes from another issuer"),
        (True, {"error": "access_denied", "state": "s"}, "The issuer rejected the sign-in: access_denied."),
        (
            True,
            {"error": "access_denied", "state": "s", "iss": "https://evil.example"},
            "comes from another issuer",
        ),
    ],
)
def test_an_unsolicited_authorization_response_gives_no_token(
    page: Chrome, api_url: str, issuer: RunningIssuer, *, pending: bool, answer: Mapping[str, str], sentence: str
) -> None:
    if pending:
        _remember(page, issuer)
    open_page(page, f"{api_url}/docs?{urlencode(answer)}")
    assert sentence in find(page, "#problem").text
    assert (f"{api_url}/docs", 0) == (page.current_url, page.execute_script("return sessionStorage.length"))
    assert "Not signed in." == find(page, "#state").text
    assert 0 == issuer.requests("token").count


def test_a_code_that_the_issuer_rejects_gives_no_token(page: Chrome, api_url: str, issuer: RunningIssuer) -> None:
    _remember(page, issuer)
    open_page(page, f"{api_url}/docs?code=made-up&state=s")
    assert "The issuer rejected the code: invalid_grant." in find(page, "#problem").text
    assert "status of 400" in "".join(violations(page))


def test_a_response_without_a_required_iss_parameter_is_rejected(
    page: Chrome, api_url: str, issuer: RunningIssuer
) -> None:
    _publish(issuer, {"authorization_response_iss_parameter_supported": True})
    _remember(page, issuer)
    open_page(page, f"{api_url}/docs?code=c&state=s")
    assert "comes from another issuer" in find(page, "#problem").text


def _publish(issuer: RunningIssuer, members: Mapping[str, object]) -> None:
    """Make the issuer publish other metadata."""
    url = issuer.issuer_url()
    own = {"issuer": url, "authorization_endpoint": f"{url}/v1/authorize", "token_endpoint": f"{url}/v1/token"}
    issuer.fail("discovery", status=200, body={**own, **members}, headers={"Access-Control-Allow-Origin": "*"})


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"issuer": "https://evil.example"}, "belongs to another issuer"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization endpoint is not an https URL"),
        ({"token_endpoint": "http://evil.example/token"}, "token endpoint is not an https URL"),
    ],
)
def test_metadata_with_unsafe_endpoints_is_rejected(
    page: Chrome, issuer: RunningIssuer, members: dict[str, str], sentence: str
) -> None:
    _publish(issuer, members)
    press(page, "Authorize")
    until(page, lambda: sentence in find(page, "#problem").text, sentence)


def test_an_unavailable_issuer_is_reported(page: Chrome, issuer: RunningIssuer) -> None:
    issuer.fail("discovery", drop=True)
    press(page, "Authorize")
    until(page, lambda: "cannot be reached from this page" in find(page, "#problem").text)
    violations(page)


def _id_token(**claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2ln"


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, ""),
        ({"token_type": "MAC"}, "did not return a bearer token"),
        ({"access_token": None}, "did not return a bearer token"),
        ({"id_token": {"nonce": "of another sign-in"}}, "ID token does not belong to this sign-in"),
        ({"id_token": {"aud": "another-client"}}, "ID token does not belong to this sign-in"),
        ({"id_token": {"iss": "https://evil.example"}}, "ID token does not belong to this sign-in"),
    ],
)
def test_a_token_of_another_sign_in_is_not_used(
    page: Chrome, api_url: str, issuer: RunningIssuer, members: dict[str, object], sentence: str
) -> None:
    claims = {"iss": issuer.issuer_url(), "aud": SPA, "nonce": "n", "email": "alice@example.com"}
    claims |= members.get("id_token", {})  # type: ignore[call-overload]  # a dict if present
    answer = {"access_token": "t", "token_type": "Bearer", **members, "id_token": _id_token(**claims)}
    issuer.fail("token", status=200, body=answer, headers={"Access-Control-Allow-Origin": "*"})
    _remember(page, issuer)
    open_page(page, f"{api_url}/docs?code=c&state=s")
    assert sentence in find(page, "#problem").text
    assert ("Signed in as alice@example.com." if not sentence else "Not signed in.") == find(page, "#state").text
