from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.sessions import Sessions

Ask = Callable[..., Any]

PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
PROGRAMS: list[dict[str, str]] = [{}, {"Accept": "*/*"}, {"Accept": "application/json"}]

ASTRAY = [
    ("GET", "/oauth2/typo/v1/authorize", 404),
    ("GET", "/oauth2/typo/v1/logout", 404),
    ("PUT", "/oauth2/default/v1/authorize", 405),
    ("PUT", "/signin", 405),
    ("GET", "/typo", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), ASTRAY)
def test_a_person_who_goes_astray_sees_a_page_and_a_program_json(
    fake_issuer: RunningIssuer, ask: Ask, method: str, path: str, status: int
) -> None:
    page = ask(f"{fake_issuer.url}{path}", method, headers=PERSON)
    assert (page.status, page.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
    assert b"<h1>This does not work</h1>" in page.body
    for headers in PROGRAMS:
        answer = ask(f"{fake_issuer.url}{path}", method, headers=headers)
        assert (answer.status, answer.json()["errorCode"][:5]) == (status, "E0000")


def test_an_endpoint_for_programs_answers_json_whatever_is_accepted(fake_issuer: RunningIssuer, ask: Ask) -> None:
    assert ask(f"{fake_issuer.url}/oauth2/typo/v1/keys", headers=PERSON).json()["errorCode"] == "E0000007"


def test_a_failure_behind_a_page_is_a_page(
    fake_issuer: RunningIssuer, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    monkeypatch.delattr(Sessions, "get_or_create")
    page = ask(f"{fake_issuer.url}/activate", headers=PERSON)
    assert (page.status, b"<h1>Something went wrong</h1>" in page.body) == (500, True)
    assert b"AttributeError" not in page.body
    assert ask(f"{fake_issuer.url}/activate").json()["errorCode"] == "E0000009"
