from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.control.handlers import CONTROL_ROUTES
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def test_a_browser_gets_a_console_and_a_program_json(fake_issuer: RunningIssuer, ask: Ask) -> None:
    page = ask(f"{fake_issuer.url}/_fake/", headers=BROWSER)
    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for headers in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert ask(f"{fake_issuer.url}/_fake/", headers=headers).json()["servers"]


def test_the_console_runs_its_own_script_and_nothing_else(fake_issuer: RunningIssuer, ask: Ask) -> None:
    page = ask(f"{fake_issuer.url}/_fake/", headers=BROWSER)
    policy = page.headers["Content-Security-Policy"]
    nonces = re.findall(r"<script([^>]*)>", page.body.decode())
    assert len(nonces) == 1
    assert f"script-src 'nonce-{nonces[0].split(chr(34))[1]}'" in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert not re.search(rb'(src|href)="', page.body)


@pytest.mark.parametrize("control_token", [None, "a-control-token"])
def test_the_console_page_contains_no_data(ask: Ask, control_token: str | None) -> None:
    with running(control_token=control_token) as issuer:
        body = ask(f"{issuer.url}/_fake/", headers=BROWSER).body
        for held in ("a-control-token", "secret", "alice", issuer.issuer_url(), issuer.keys()[0].kid):
            assert held.encode() not in body


def test_only_the_console_page_is_public(ask: Ask) -> None:
    with running(control_token="a-control-token") as issuer:
        assert ask(f"{issuer.url}/_fake/", headers=BROWSER).status == 200
        assert ask(f"{issuer.url}/_fake/").status == 401
        assert ask(f"{issuer.url}/_fake/clock", headers=BROWSER).status == 401
        assert ask(f"{issuer.url}/_fake/reset", "POST", headers=BROWSER).status == 401
        assert ask(f"{issuer.url}/_fake/", "POST", headers=BROWSER).status == 401


def test_the_overview_links_to_every_call_with_a_constant_path(fake_issuer: RunningIssuer) -> None:
    paths = {path.removeprefix("/") for path, _ in CONTROL_ROUTES}
    assert {path for path in paths if not set(path) & set("?*")} == set(fake_issuer.overview().links)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.test"}, {"Host": "rebound.test"}])
def test_another_origin_does_not_get_the_console(fake_issuer: RunningIssuer, ask: Ask, headers: dict[str, str]) -> None:
    assert ask(f"{fake_issuer.url}/_fake/", headers={**BROWSER, **headers}).status == 403


def test_a_link_on_another_site_opens_the_console_and_no_data(fake_issuer: RunningIssuer, ask: Ask) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert ask(f"{fake_issuer.url}/_fake/", headers={**BROWSER, **followed}).status == 200
    assert ask(f"{fake_issuer.url}/_fake/", headers={**BROWSER, **followed, "Host": "rebound.test"}).status == 403
    assert ask(f"{fake_issuer.url}/_fake/", headers=followed).status == 403
    assert ask(f"{fake_issuer.url}/_fake/clock", headers={**BROWSER, **followed}).status == 403
    embedded = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert ask(f"{fake_issuer.url}/_fake/", headers={**BROWSER, **embedded}).status == 403
