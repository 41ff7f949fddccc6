"""The docs page: reading, signing in, sending requests, and explained errors."""

from __future__ import annotations

from pathlib import Path

from browser_actions import focused, press, press_keys, shows, tab_to, until
from chromium import narrow
from docs_page import (
    GET_NOTE,
    PUT_NOTE,
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
    wait_until_ready,
)
from page_rules import GOOD_OUTLINE, foreign_requests, outline, smallest_controls, width_overrun
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By

from fakeissuer.server.running_issuer import RunningIssuer


def test_a_user_signs_in_and_calls_whoami(page: Chrome, api_url: str) -> None:
    assert "401 Unauthorized" == send(page, WHOAMI)
    assert "The request has no token." in explanation(page, WHOAMI)
    sign_in_as_alice(page)
    assert f"{api_url}/docs" == page.current_url
    assert "200 OK" == send(page, WHOAMI)
    assert "alice@example.com" == body(page, WHOAMI)["sub"]


def test_the_page_works_with_the_keyboard_alone(page: Chrome) -> None:
    tab_to(page, "Authorize")
    press_keys(page, Keys.ENTER)
    shows(page, "h1", "Sign in to single-page app")
    assert "username" == focused(page)
    press_keys(page, "alice@example.com", Keys.TAB, "password", Keys.ENTER)
    shows(page, "#state", "Signed in as alice@example.com, for 60 minutes.")
    wait_until_ready(page)
    assert ["400"] == failed_statuses(page)
    tab_to(page, "GET /api/whoami")
    press_keys(page, Keys.ENTER)
    until(page, lambda: find(page, WHOAMI).get_property("open"))
    press_keys(page, Keys.TAB, Keys.ENTER)
    shows(page, f"{WHOAMI} .response", "200 OK")


def test_the_demo_has_a_client_for_the_docs_page(browser: Chrome, tmp_path: Path) -> None:
    with serving("--demo", "--issuer-port", "0", folder=tmp_path) as url:
        open_page(browser, f"{url}/docs")
        sign_in_as_alice(browser)
        assert "200 OK" == send(browser, WHOAMI)


def test_a_missing_scope_is_shown_and_can_be_requested(page: Chrome) -> None:
    field = find(page, "#scope")
    assert "openid profile api:write" == field.get_property("value")
    field.clear()
    field.send_keys("openid profile")
    sign_in_as_alice(page)
    assert "403 Forbidden" == send(page, PUT_NOTE, number="1", Body='{"text": "x"}')
    assert "The required scope is api:write." in explanation(page, PUT_NOTE)
    page.execute_script("document.querySelector('#scope').value = 'openid profile'")
    press(page, "Authorize for this request")
    assert ("Authorize", "openid profile api:write") == (focused(page), find(page, "#scope").get_property("value"))
    press_keys(page, Keys.ENTER)
    until(
        page,
        lambda: page.execute_script(
            "return !document.querySelector('.response') && document.body.dataset.ready || null"
        ),
    )
    shows(page, "#state", "Signed in as alice@example.com, for 60 minutes.")
    assert ["400"] == failed_statuses(page)
    assert find(page, PUT_NOTE).get_property("open") is True  # open as before
    assert "200 OK" == send(page, PUT_NOTE, number="1", Body='{"text": "x"}')
    assert {"kept": {"text": "x"}} == body(page, PUT_NOTE)


def test_a_user_whose_sign_in_is_too_old_signs_in_again(page: Chrome, issuer: RunningIssuer) -> None:
    paste(page, issuer.token(sub="alice@example.com", claims={"auth_time": 1}))
    assert "401 Unauthorized" == send(page, GET_NOTE, number="1")
    assert "sign in again" in explanation(page, GET_NOTE)
    press(page, "Authorize for this request")
    assert "The next sign-in requests max_age 3600." == find(page, "#step-up").text
    sign_in_as_alice(page)
    assert "200 OK" == send(page, GET_NOTE, number="1")


def test_path_query_and_body_parameters_are_sent(page: Chrome, issuer: RunningIssuer) -> None:
    paste(page, issuer.token(claims={"auth_time": issuer.clock.now()}))
    assert "A pasted token is used." == find(page, "#state").text
    assert "200 OK" == send(page, GET_NOTE, number="17", words="a&b")
    assert {"number": "17", "words": "a&b"} == body(page, GET_NOTE)
    assert "200 OK" == send(page, "#operation-getNotes2", number="a/b c")
    assert {"number": "a/b c", "words": None} == body(page, "#operation-getNotes2")


def test_a_rejected_token_is_explained_and_discarded(page: Chrome) -> None:
    paste(page, "nonsense")
    assert "401 Unauthorized" == send(page, WHOAMI)
    assert "The token is rejected." in explanation(page, WHOAMI)
    press(page, "Discard the token")
    assert "Not signed in." == find(page, "#state").text
    assert "401 Unauthorized" == send(page, WHOAMI)
    assert "The request has no token." in explanation(page, WHOAMI)


def test_a_token_is_not_stored_and_lost_on_reload(page: Chrome) -> None:
    sign_in_as_alice(page)
    assert [0, 0, ""] == page.execute_script("return [localStorage.length, sessionStorage.length, document.cookie]")
    page.refresh()
    wait_until_ready(page)
    assert "Not signed in." == find(page, "#state").text


def test_descriptions_are_escaped(page: Chrome) -> None:
    assert "Read <b>one</b>." in find(page, f"{GET_NOTE} > summary").text


def test_the_page_fits_every_screen_size(page: Chrome) -> None:
    assert GOOD_OUTLINE == outline(page)
    for width in (320, 1024):
        narrow(page, width)
        for details in page.find_elements(By.TAG_NAME, "details"):
            page.execute_script("arguments[0].open = true", details)
        assert 0 == width_overrun(page)
        assert [] == smallest_controls(page)


def test_only_the_api_is_requested_before_sign_in(page: Chrome, api_url: str) -> None:
    assert [] == foreign_requests(page)
