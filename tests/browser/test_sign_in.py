"""The sign-in page, with mouse and keyboard."""

from __future__ import annotations

import pytest
from browser_actions import fill_in, focused, landed, press, press_keys, shows, until
from chromium import violations
from client_site import Page, Redirect, site
from picture import picture
from scripted_browser import SPA, authorization_url
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

ALICE = "Alice Adams (alice@example.com)"


@pytest.fixture
def start(browser: Chrome, fake_issuer: RunningIssuer, client_url: str) -> str:
    browser.get(authorization_url(fake_issuer.url, redirect_uri=f"{client_url}/cb"))
    return client_url


def test_a_user_is_chosen_from_the_list(browser: Chrome, fake_issuer: RunningIssuer, start: str) -> None:
    assert shows(browser, "h1", "Sign in to web app")
    assert browser.title == "Sign in - fake issuer"
    picture(browser, "sign-in", width=480)
    press(browser, ALICE)
    assert list(landed(browser, start)) == ["code", "state"]
    browser.get(authorization_url(fake_issuer.url, redirect_uri=f"{start}/cb", state="again"))
    assert landed(browser, start)["state"] == "again"


def test_a_wrong_password_can_be_corrected(browser: Chrome, start: str) -> None:
    fill_in(browser, "User name", "carol@example.com")
    fill_in(browser, "Password", "wrong")
    press(browser, "Sign in")
    assert shows(browser, "[role=alert]", "The user name or the password is wrong.")
    field = browser.find_element(By.ID, "username")
    assert (field.get_property("value"), field.get_dom_attribute("aria-describedby")) == (
        "carol@example.com",
        "problem",
    )
    assert focused(browser) == "password"
    fill_in(browser, "Password", "password")
    press(browser, "Sign in")
    assert "code" in landed(browser, start)


def test_the_page_works_with_the_keyboard_alone(browser: Chrome, start: str) -> None:
    assert focused(browser) == "username"
    press_keys(browser, "alice@example.com", Keys.TAB, "password", Keys.ENTER)
    assert "code" in landed(browser, start)


def test_the_tab_order_is_the_order_of_the_page(browser: Chrome, start: str) -> None:
    reached = [focused(browser)]
    while reached[-1] != "Cancel" and len(reached) < 10:
        press_keys(browser, Keys.TAB)
        reached.append(focused(browser))
    assert reached == ["username", "password", "Sign in", ALICE, "Bob Brown (bob@example.com)", "Cancel"]
    press_keys(browser, Keys.ENTER)
    assert landed(browser, start)["error"] == "access_denied"


def test_an_empty_required_field_is_not_submitted(browser: Chrome, start: str) -> None:
    assert focused(browser) == "username"
    press_keys(browser, "alice@example.com", Keys.ENTER)
    assert shows(browser, "h1", "Sign in to web app")
    assert focused(browser) == "password"


def test_a_login_hint_prefills_the_user(browser: Chrome, fake_issuer: RunningIssuer, client_url: str) -> None:
    hint = "alice@example.com"
    browser.get(authorization_url(fake_issuer.url, redirect_uri=f"{client_url}/cb", login_hint=hint))
    assert focused(browser) == "password"
    press_keys(browser, "password", Keys.ENTER)
    assert "code" in landed(browser, client_url)


@pytest.mark.parametrize("mode", ["query", "form_post"])
def test_a_client_may_redirect_to_another_origin(browser: Chrome, fake_issuer: RunningIssuer, mode: str) -> None:
    # A browser applies the form-action policy of the page to the whole chain of redirects.
    front = site(host="localhost")
    with front as front_url, site(("/cb", Redirect, {"url": f"{front_url}/home"}), (".*", Page)) as client_url:
        browser.get(authorization_url(fake_issuer.url, redirect_uri=f"{client_url}/cb", response_mode=mode))
        press(browser, ALICE)
        landed(browser, f"{front_url}/home")


def test_a_page_receives_the_response_as_a_web_message(browser: Chrome, fake_issuer: RunningIssuer) -> None:
    script = "<script>const told = []; onmessage = ({data, origin}) => told.push([origin, data.state])</script>"
    with site((".*", Page, {"html": script})) as client_url:
        url = authorization_url(
            fake_issuer.url,
            redirect_uri=f"{client_url}/cb",
            client_id=SPA,
            response_mode="okta_post_message",
            code_challenge="c" * 43,
            code_challenge_method="S256",
        )
        browser.get(client_url)
        opener = browser.current_window_handle
        browser.execute_script("open(arguments[0])", url)
        browser.switch_to.window(next(name for name in browser.window_handles if name != opener))
        press(browser, ALICE)
        browser.switch_to.window(opener)
        until(browser, lambda: browser.execute_script("return told.length"))
        assert browser.execute_script("return told") == [[fake_issuer.url, "xyz"]]


def test_auto_login_shows_no_page(browser: Chrome, client_url: str) -> None:
    with running(auto_login="alice@example.com") as issuer:
        browser.get(authorization_url(issuer.url, redirect_uri=f"{client_url}/cb"))
        assert "code" in landed(browser, client_url)
        assert violations(browser) == []
