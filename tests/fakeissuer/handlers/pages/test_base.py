from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.sessions import Sessions

Ask = Callable[..., Any]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
OTHER_CLIENTS: list[dict[str, str]] = [{}, {"Accept": "*/*"}, {"Accept": "application/json"}]

REJECTED_REQUESTS = [
    ("GET", "/oauth2/typo/v1/authorize", 404),
    ("GET", "/oauth2/typo/v1/logout", 404),
    ("PUT", "/oauth2/default/v1/authorize", 405),
    ("PUT", "/signin", 405),
    ("GET", "/typo", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), REJECTED_REQUESTS)
def test_a_browser_gets_an_error_page_and_other_clients_get_json(
    fake_issuer: RunningIssuer, ask: Ask, method: str, path: str, status: int
) -> None:
    page = ask(f"{fake_issuer.url}{path}", method, headers=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert b"<h1>This does not work</h1>" in page.body
    for headers in OTHER_CLIENTS:
        response = ask(f"{fake_issuer.url}{path}", method, headers=headers)
        assert (response.status, response.json()["errorCode"][:5]) == (status, "E0000")


def test_an_endpoint_without_pages_returns_json_for_any_accept_header(fake_issuer: RunningIssuer, ask: Ask) -> None:
    assert ask(f"{fake_issuer.url}/oauth2/typo/v1/keys", headers=BROWSER).json()["errorCode"] == "E0000007"


def test_an_unexpected_failure_of_a_page_is_an_error_page(
    fake_issuer: RunningIssuer, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    monkeypatch.delattr(Sessions, "get_or_create")
    page = ask(f"{fake_issuer.url}/activate", headers=BROWSER)
    assert (page.status, b"<h1>Something went wrong</h1>" in page.body) == (500, True)
    assert b"AttributeError" not in page.body
    assert ask(f"{fake_issuer.url}/activate").json()["errorCode"] == "E0000009"
