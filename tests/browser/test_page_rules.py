"""Rules for every HTML page: contrast, small screens, no foreign origin, escaped names."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest
from browser_actions import PATIENCE_S, fill_in, landed, press, shows
from chromium import violations
from client_site import site
from page_rules import (
    GOOD_OUTLINE,
    focus_contrast,
    foreign_requests,
    outline,
    smallest_controls,
    survives_a_script,
    width_overrun,
)
from plain_http import send
from scripted_browser import authorization_url
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from tornado.web import RequestHandler

from fakeissuer.model.grant_types import CIBA
from fakeissuer.server.running_issuer import RunningIssuer

# Quotes, brackets, an attribute, line ends, a surrogate pair, and no place to break the line.
NASTY = (
    "\"><img src=x onerror='document.title=1'>\n<script>document.title=2</script>{{ 7*7 }}&amp;\U0001f511" + "x" * 60
)
SCOPE = "\"><svg/onload='document.title=3'>\U0001f511" + "y" * 60


class NoContent(RequestHandler):
    """A response that leaves the browser on its page."""

    def initialize(self, answered: Event) -> None:
        self.answered = answered

    def post(self) -> None:
        self.set_status(204)

    def on_finish(self) -> None:
        self.answered.set()


CLIENT = {
    "name": NASTY,
    "secret": "s",
    "grant_types": ["authorization_code"],
    "redirect_uris": ["http://127.0.0.1:*"],
    "consent_method": "REQUIRED",
}


LEAST_CONTRAST = 3
"""The contrast of an outline with the page (WCAG 2.2, criterion 1.4.11)."""


@pytest.fixture
def nasty(fake_issuer: RunningIssuer) -> RunningIssuer:
    """An issuer whose users, clients and scopes have hostile names."""
    fake_issuer.put("clients", "nasty", **CLIENT)
    fake_issuer.put("users", NASTY, given_name=NASTY, family_name="", email="a@example.com")
    fake_issuer.put("servers", "default", audience=NASTY, scopes=["openid", SCOPE], default_scopes=[SCOPE])
    return fake_issuer


def sign_in(browser: Chrome, issuer: RunningIssuer) -> None:
    parameters = {"client_id": "nasty", "scope": f"openid {SCOPE}", "login_hint": NASTY.replace("\n", "")}
    browser.get(authorization_url(issuer.url, redirect_uri="http://127.0.0.1:1/cb", **parameters))


def wrong_password(browser: Chrome, issuer: RunningIssuer) -> None:
    sign_in(browser, issuer)
    fill_in(browser, "Password", "wrong")
    press(browser, "Sign in")
    shows(browser, "[role=alert]", "The user name or the password is wrong.")


def consent(browser: Chrome, issuer: RunningIssuer) -> None:
    sign_in(browser, issuer)
    browser.find_element(By.XPATH, "//button[contains(., 'onerror')]").click()
    shows(browser, "button", "Allow")


def activate(browser: Chrome, issuer: RunningIssuer) -> None:
    browser.get(f"{issuer.url}/activate?user_code=%22%3E%3Cscript%3E")


def wrong_code(browser: Chrome, issuer: RunningIssuer) -> None:
    activate(browser, issuer)
    press(browser, "Next")
    shows(browser, "[role=alert]", "There is no device that waits with this code.")


def error(browser: Chrome, issuer: RunningIssuer) -> None:
    browser.get(f"{issuer.url}/oauth2/default/v1/authorize?client_id=a&%3Cscript%3E=1&%3Cscript%3E=2")
    assert "status of 400" in "".join(violations(browser))


def console(browser: Chrome, issuer: RunningIssuer) -> None:
    browser.get(f"{issuer.url}/_fake/")
    shows(browser, "#keys td", issuer.keys()[0].kid)


def form_post(browser: Chrome, issuer: RunningIssuer) -> None:
    """The page that remains when the client responds to the form without a redirect."""
    answered = Event()
    with site((".*", NoContent, {"answered": answered})) as url:
        page_without_client(browser, issuer, redirect_uri=f"{url}/cb", response_mode="form_post", state=NASTY)
        assert answered.wait(PATIENCE_S)
    shows(browser, "h1", "Going back")


def post_message(browser: Chrome, issuer: RunningIssuer) -> None:
    """The page that is shown without a client."""
    page_without_client(browser, issuer, redirect_uri="http://127.0.0.1:1/cb", response_mode="okta_post_message")
    shows(browser, "#response", "The page of the client is not open. Return to the client and start again.")


def page_without_client(browser: Chrome, issuer: RunningIssuer, **parameters: str) -> None:
    browser.get(authorization_url(issuer.url, client_id="nasty", prompt="none", **parameters))


def approve(browser: Chrome, issuer: RunningIssuer) -> None:
    issuer.put("clients", "asks", name=NASTY, secret="s", grant_types=[CIBA])
    form = {"scope": f"openid {SCOPE}", "login_hint": "alice@example.com", "binding_message": "x" * 50}
    assert send(f"{issuer.issuer_url()}/v1/bc/authorize", "POST", form=form, client="asks:s").status == 200
    browser.get(f"{issuer.url}/approve")
    press(browser, "Alice Adams (alice@example.com)")
    shows(browser, "strong", "x" * 50)


def nowhere(browser: Chrome, issuer: RunningIssuer) -> None:
    browser.get(f"{issuer.url}/%3Cscript%3E")
    shows(browser, "h1", "This does not work")
    assert "status of 404" in "".join(violations(browser))


PAGES = [
    sign_in,
    wrong_password,
    consent,
    activate,
    wrong_code,
    error,
    nowhere,
    form_post,
    post_message,
    approve,
    console,
]


@pytest.mark.parametrize("go", PAGES)
def test_a_page_follows_the_accessibility_and_security_rules(
    browser: Chrome, nasty: RunningIssuer, go: Callable[[Chrome, RunningIssuer], None]
) -> None:
    go(browser, nasty)
    title = browser.title
    assert outline(browser) == GOOD_OUTLINE
    assert foreign_requests(browser) == []
    assert width_overrun(browser) == 0
    assert smallest_controls(browser) == []
    assert violations(browser) == []
    assert survives_a_script(browser)
    assert browser.title == title
    assert title.endswith(" - fake issuer")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_focused_element_is_visible(browser: Chrome, fake_issuer: RunningIssuer, scheme: str) -> None:
    activate(browser, fake_issuer)
    assert focus_contrast(browser, scheme) >= LEAST_CONTRAST


def test_names_with_markup_are_escaped(browser: Chrome, nasty: RunningIssuer, client_url: str) -> None:
    sign_in(browser, nasty)
    text = "return document.querySelector(arguments[0]).textContent"
    assert browser.execute_script(text, "h1") == f"Sign in to {NASTY}"
    assert browser.find_element(By.ID, "username").get_property("value") == NASTY.replace("\n", "")
    buttons = browser.execute_script("return [...document.querySelectorAll('[name=choice]')].map((b) => b.textContent)")
    assert f"{NASTY}  ({NASTY})" in buttons
    consent(browser, nasty)
    assert (
        browser.execute_script(text, "main > p") == f"You are signed in as {NASTY}. If you allow access, {NASTY} gets:"
    )
    assert browser.execute_script(text, "li:last-child") == SCOPE


def test_state_is_returned_unchanged(browser: Chrome, fake_issuer: RunningIssuer, client_url: str) -> None:
    state = "\"'><script>\U0001f511é&=+%20#"
    url = authorization_url(fake_issuer.url, redirect_uri=f"{client_url}/cb?a=b", state=state)
    browser.get(url)
    press(browser, "Cancel")
    assert landed(browser, client_url)["state"] == state
