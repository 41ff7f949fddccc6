from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from scripted_browser import Browser, forms, redirected

from fakeissuer.handlers.pages.sign_in import PageHandler
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.sessions import Session


@pytest.mark.parametrize("method", [PageHandler.render_page, PageHandler.submit])
def test_an_unimplemented_page_raises_an_error(method: Callable[..., Any]) -> None:
    with pytest.raises(NotImplementedError):
        method(object.__new__(PageHandler), Session())


@pytest.mark.parametrize("page", ["signin", "consent", "activate", "approve"])
def test_a_body_that_is_not_a_form_is_rejected(page: str, fake_issuer: RunningIssuer, ask: Callable[..., Any]) -> None:
    part = '--b\r\nContent-Disposition: form-data; name="\u0436"\r\n\r\n1\r\n'
    fields = {"Content-Type": "multipart/form-data; boundary=b"}
    response = ask(f"{fake_issuer.url}/{page}", "POST", body=f"{part * 2}--b--\r\n".encode(), headers=fields)
    assert 400 <= response.status < 404


FORGED = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "null"},
    {"Origin": "https://attacker.example"},
]


@pytest.mark.parametrize("headers", FORGED)
def test_a_form_of_another_site_signs_in_no_user_even_if_it_has_the_secret(
    browser: Browser, headers: dict[str, str]
) -> None:
    page = browser.get(browser.authorize().headers["Location"])
    action, hidden = forms(page)[0]
    form = {**hidden, "username": "alice@example.com", "password": "password"}
    browser.headers = headers
    assert browser.post(action, form).status == 400
    browser.headers = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}  # as browsers send it for our own form
    assert "code" in redirected(browser.post(action, form))
