"""The consent page."""

from __future__ import annotations

import pytest
from browser_actions import landed, press, press_keys, shows, tab_to
from chromium import violations
from scripted_browser import authorization_url
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from fakeissuer.server.running_issuer import RunningIssuer

BOB = "Bob Brown (bob@example.com)"
ASKS = "Careful requests access"


@pytest.fixture
def start(browser: Chrome, fake_issuer: RunningIssuer, client_url: str) -> str:
    """The URL of bob's consent page, whose client is a page of the test."""
    fake_issuer.put(
        "clients",
        "asks",
        name="Careful",
        secret="s",
        grant_types=["authorization_code"],
        redirect_uris=["http://127.0.0.1:*"],
        consent_method="REQUIRED",
    )
    scope = "openid email api:write"
    url = authorization_url(fake_issuer.url, client_id="asks", redirect_uri=f"{client_url}/cb", scope=scope)
    browser.get(url)
    press(browser, BOB)
    assert shows(browser, "h1", ASKS)
    return client_url


def test_the_consent_page_names_client_and_scopes(browser: Chrome, start: str) -> None:
    assert "You are signed in as bob@example.com." in browser.find_element(By.TAG_NAME, "main").text
    assert [item.text for item in browser.find_elements(By.TAG_NAME, "li")] == ["openid", "email", "api:write"]


def test_denying_consent_returns_no_code(browser: Chrome, start: str) -> None:
    press(browser, "Deny")
    assert landed(browser, start) == {
        "state": "xyz",
        "error": "access_denied",
        "error_description": "The user denied access.",
    }


def test_consent_is_asked_for_once(browser: Chrome, fake_issuer: RunningIssuer, start: str) -> None:
    press(browser, "Allow")
    assert list(landed(browser, start)) == ["code", "state"]
    browser.get(authorization_url(fake_issuer.url, client_id="asks", redirect_uri=f"{start}/cb", state="again"))
    assert landed(browser, start)["state"] == "again"


def test_consent_can_be_denied_with_the_keyboard(browser: Chrome, start: str) -> None:
    assert tab_to(browser, "Deny") == ["Allow", "Deny"]
    press_keys(browser, Keys.ENTER)
    assert landed(browser, start)["error"] == "access_denied"


def test_a_held_key_does_not_give_consent(browser: Chrome, start: str) -> None:
    assert browser.switch_to.active_element.tag_name == "body"
    press_keys(browser, Keys.ENTER)
    assert shows(browser, "h1", ASKS)


def test_going_back_cannot_submit_consent_twice(browser: Chrome, start: str) -> None:
    press(browser, "Deny")
    landed(browser, start)
    browser.back()
    browser.refresh()
    assert shows(browser, "h1", "This does not work")
    assert "start again" in browser.find_element(By.TAG_NAME, "main").text
    assert "400" in "".join(violations(browser))
