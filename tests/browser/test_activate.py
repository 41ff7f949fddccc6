"""Approving and denying a device on the activation page (RFC 8628 section 3.3)."""

from __future__ import annotations

from typing import Any

import pytest
from browser_actions import fill_in, focused, press, press_keys, shows
from devices import poll_for, start_device
from selenium.webdriver import Chrome, Keys

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer


@pytest.fixture
def started(fake_issuer: RunningIssuer) -> dict[str, Any]:
    return start_device(fake_issuer)


def test_a_user_types_the_code_and_the_device_gets_tokens(
    browser: Chrome, fake_issuer: RunningIssuer, started: dict[str, Any]
) -> None:
    browser.get(started["verification_uri"])
    assert focused(browser) == "user_code"
    press_keys(browser, "WRONG", Keys.ENTER)
    assert shows(browser, "[role=alert]", "There is no device that waits with this code.")
    code = started["user_code"]
    fill_in(browser, "The code that the device shows", f"{code[:4]}-{code[4:].lower()}").send_keys(Keys.ENTER)
    assert shows(browser, "h1", "Sign in to device app")
    assert focused(browser) == "username"
    press_keys(browser, "alice@example.com", Keys.TAB, "wrong", Keys.ENTER)
    assert shows(browser, "[role=alert]", "The user name or the password is wrong.")
    fill_in(browser, "Password", "password").send_keys(Keys.ENTER)
    assert shows(browser, "h1", "device app requests access")
    press(browser, "Allow")
    assert shows(browser, "h1", "Your device is activated")
    assert {"access_token", "id_token"} <= poll_for(fake_issuer, started).json().keys()


def test_a_signed_in_user_confirms_the_code_of_a_link(
    browser: Chrome, fake_issuer: RunningIssuer, started: dict[str, Any]
) -> None:
    browser.get(started["verification_uri_complete"])
    press(browser, "Next")
    press(browser, "Bob Brown (bob@example.com)")
    press(browser, "Deny")
    assert shows(browser, "h1", "Your device was not let in")
    browser.get(start_device(fake_issuer)["verification_uri_complete"])
    press(browser, "Next")
    assert shows(browser, "h1", "device app requests access")


def test_with_auto_login_the_link_approves_the_device(browser: Chrome) -> None:
    with running(auto_login="alice@example.com") as issuer:
        started = start_device(issuer)
        browser.get(started["verification_uri_complete"])
        assert shows(browser, "h1", "Your device is activated")
        assert "access_token" in poll_for(issuer, started).json()
