"""The console at ``/_fake/``: what each part shows and each button does."""

from __future__ import annotations

import re

import jwt
import pytest
from browser_actions import fill_in, focused, press, press_keys, shows, until
from chromium import violations
from page_rules import GOOD_OUTLINE, outline, smallest_controls, width_overrun
from picture import picture
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

TOKEN = "a-control-token"

KEPT = """
const stored = JSON.stringify([{...localStorage}, {...sessionStorage}]);
return [document.documentElement.outerHTML, document.cookie, location.href, stored];
"""


@pytest.fixture
def console(browser: Chrome, fake_issuer: RunningIssuer) -> Chrome:
    browser.get(f"{fake_issuer.url}/_fake/")
    shows(browser, "#keys td", fake_issuer.keys()[0].kid)
    return browser


def table(browser: Chrome, name: str) -> list[list[str]]:
    script = "return [...arguments[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))"
    got: list[list[str]] = browser.execute_script(script, browser.find_element(By.ID, name))
    return got


def keys_of(issuer: RunningIssuer, server: str) -> list[list[str]]:
    return [[key.kid, key.status, str(key.published).lower()] for key in issuer.keys(server)]


def test_the_console_shows_the_servers_and_their_keys(console: Chrome, fake_issuer: RunningIssuer) -> None:
    partner = [fake_issuer.issuer_url("partner"), "api://partner"]
    assert table(console, "servers")[:2] == [
        ["default", fake_issuer.issuer_url(), "api://default"],
        ["partner", *partner],
    ]
    assert table(console, "keys") == keys_of(fake_issuer, "default")
    Select(console.find_element(By.ID, "key-server")).select_by_visible_text("partner")
    until(console, lambda: table(console, "keys") == keys_of(fake_issuer, "partner"))


def test_the_console_rotates_keys(console: Chrome, fake_issuer: RunningIssuer) -> None:
    before = [kid for kid, *_ in table(console, "keys")]
    press(console, "Rotate")
    assert shows(console, "#status", "The keys were rotated.")
    after = {kid: status for kid, status, _ in table(console, "keys")}
    assert [after.get(kid) for kid in before] == ["EXPIRED", "ACTIVE", None]
    assert [key.status for key in fake_issuer.keys()] == list(after.values())


def test_the_console_shows_new_requests(console: Chrome) -> None:
    assert table(console, "requests") == [["No requests yet."]]
    assert console.find_element(By.ID, "faults").text == "No faults are planned."
    console.execute_async_script("fetch('/oauth2/default/v1/keys').then(() => arguments[0]())")
    until(console, lambda: table(console, "requests") == [["GET", "/oauth2/default/v1/keys", "200", ""]])


def test_the_console_mints_a_token_and_copies_a_curl_line(console: Chrome, fake_issuer: RunningIssuer) -> None:
    fill_in(console, "User (empty: a token for a client)", "alice@example.com")
    fill_in(console, "Scopes (empty: the server's default)", "api:read api:write")
    fill_in(console, "Seconds until it expires", "60")
    press(console, "Mint")
    assert shows(console, "#status", "A token was minted.")
    line = console.find_element(By.ID, "curl").text
    found = re.fullmatch(r"curl -H 'Authorization: Bearer ([\w.-]+)' http://127\.0\.0\.1:8080/api/whoami", line)
    assert found is not None
    claims = jwt.decode(found[1], options={"verify_signature": False})
    assert (claims["sub"], claims["scp"]) == ("alice@example.com", ["api:read", "api:write"])
    assert claims["exp"] - claims["iat"] == 60
    press(console, "Copy the curl line")
    assert shows(console, "#status", "Copied.")
    field = console.find_element(By.ID, "mint-sub")
    field.clear()
    field.send_keys(Keys.CONTROL, "v")
    assert field.get_property("value") == line


def test_without_a_clipboard_the_console_selects_the_line(console: Chrome) -> None:
    console.execute_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    press(console, "Mint")
    press(console, "Copy the curl line")
    assert shows(console, "#status", "The command is selected; copy it with the keyboard.")
    assert console.execute_script("return getSelection().toString()").startswith("curl -H ")


def test_the_console_plans_and_clears_faults(console: Chrome, fake_issuer: RunningIssuer) -> None:
    Select(console.find_element(By.ID, "fault-endpoint")).select_by_visible_text("introspect")
    Select(console.find_element(By.ID, "fault-kind")).select_by_visible_text("429")
    fill_in(console, "How often (empty: until cleared)", "2")
    press(console, "Plan it")
    assert shows(console, "#status", "The fault is planned.")
    [fault] = fake_issuer.faults()
    assert (fault.endpoint, fault.status, fault.times) == ("introspect", 429, 2)
    assert "introspect" in console.find_element(By.CSS_SELECTOR, "#faults li").text
    asked = "fetch('/oauth2/default/v1/introspect', {method: 'POST'}).then(({status}) => arguments[0](status))"
    assert console.execute_async_script(asked) == 429
    assert "status of 429" in violations(console)[0]
    until(console, lambda: table(console, "requests") == [["POST", "/oauth2/default/v1/introspect", "429", "status"]])
    assert "times: 1" in console.find_element(By.CSS_SELECTOR, "#faults li").text
    picture(console, "console", width=1160)
    press(console, "Clear all")
    assert shows(console, "#status", "No fault is planned.")
    assert fake_issuer.faults() == []


def test_the_console_moves_the_clock_and_resets_it(console: Chrome, fake_issuer: RunningIssuer) -> None:
    fill_in(console, "Advance by seconds", "86400").send_keys(Keys.ENTER)
    assert shows(console, "#status", "The clock was moved.")
    assert 86_390 < fake_issuer.clock.state().offset <= 86_400
    press(console, "Return to real time")
    assert shows(console, "#status", "The clock is at real time.")
    assert fake_issuer.clock.state().offset == 0


def test_the_console_shows_the_error_of_a_rejected_call(console: Chrome) -> None:
    fill_in(console, "Seconds until it expires", "99999999999999999")
    press(console, "Mint")
    until(console, lambda: "expires_in" in console.find_element(By.ID, "status").text)
    assert "status of 400" in violations(console)[0]
    assert console.find_element(By.ID, "status").get_dom_attribute("class") == "problem"
    fill_in(console, "Seconds until it expires", "60")
    press(console, "Mint")
    assert shows(console, "#status", "A token was minted.")
    assert console.find_element(By.ID, "status").get_dom_attribute("class") == "note"


LOSE = "window.real = fetch; window.fetch = () => Promise.reject(new Error('The issuer is unreachable.'))"


def test_the_console_shows_an_outage_until_the_issuer_is_back(console: Chrome) -> None:
    console.execute_script(LOSE)
    assert shows(console, "#status.problem", "The issuer is unreachable.")
    console.execute_script("window.fetch = window.real")
    assert shows(console, "#status.note", "")


LATE = """
const real = fetch;
let held = null;
window.fetch = async (path, ...rest) => {
  const answer = await real(path, ...rest);
  if (path.includes("keys?") && !held) { held = new Promise((go) => { window.letGo = go; }); await held; }
  return answer;
};
"""


def test_a_late_response_does_not_replace_a_newer_one(console: Chrome, fake_issuer: RunningIssuer) -> None:
    console.execute_script(LATE)
    until(console, lambda: console.execute_script("return Boolean(window.letGo)"))
    press(console, "Rotate")
    assert shows(console, "#status", "The keys were rotated.")
    rotated = table(console, "keys")
    assert rotated == keys_of(fake_issuer, "default")
    seen = "return new Promise((go) => { window.letGo(); setTimeout(go, 0); })"
    console.execute_script(f"clearInterval(timer); {seen}")
    assert table(console, "keys") == rotated


def test_on_a_phone_words_stay_whole_and_wide_tables_scroll(console: Chrome, fake_issuer: RunningIssuer) -> None:
    fake_issuer.rotate()
    until(console, lambda: table(console, "keys") == keys_of(fake_issuer, "default"))
    assert width_overrun(console) == 0
    lines = """
      const cells = [...document.querySelectorAll("#keys td:not(:first-child)")];
      return cells.map((cell) => cell.getClientRects().length && Math.round(cell.clientHeight) && (() => {
        const range = document.createRange();
        range.selectNodeContents(cell);
        return range.getClientRects().length;
      })());
    """
    assert set(console.execute_script(lines)) == {1}


def test_the_console_asks_for_the_control_token_and_does_not_store_it(browser: Chrome) -> None:
    with running(control_token=TOKEN) as issuer:
        browser.get(f"{issuer.url}/_fake/")
        assert focused(browser) == "token"
        assert not browser.find_element(By.ID, "console").is_displayed()
        assert (outline(browser), width_overrun(browser), smallest_controls(browser)) == (GOOD_OUTLINE, 0, [])
        press_keys(browser, "wrong", Keys.ENTER)
        assert shows(browser, "#status", "That is not the control token.")
        assert "status of 401" in "".join(violations(browser))
        press_keys(browser, TOKEN, Keys.ENTER)
        assert shows(browser, "#servers td", "default")
        press(browser, "Rotate")
        assert shows(browser, "#status", "The keys were rotated.")
        assert TOKEN not in "".join(browser.execute_script(KEPT))
        assert browser.find_element(By.ID, "control-token").get_property("value") == ""
        browser.refresh()
        assert focused(browser) == "token"
