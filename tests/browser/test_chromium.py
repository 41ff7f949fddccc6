"""Tests of the browser fixture: isolation, console errors, blocked requests."""

from __future__ import annotations

import pytest
from chromium import chromium, forget_everything, narrow, violations
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome

from fakeissuer.server.in_process import running

TRACES = "localStorage.seen = 1; sessionStorage.seen = 1; document.cookie = 'seen=1'; window.open('about:blank')"


def test_each_test_gets_a_fresh_browser_profile(browser: Chrome) -> None:
    seen = "return [localStorage.seen, sessionStorage.seen, document.cookie, innerWidth]"
    with running() as issuer:
        browser.get(f"{issuer.url}/activate")
        assert browser.execute_script(seen) == [None, None, "", 1024]
        narrow(browser)
        browser.execute_script(TRACES)
        assert browser.execute_script(seen) == ["1", "1", "seen=1", 320]
        forget_everything(browser)
        browser.get(f"{issuer.url}/activate")
        assert browser.execute_script(seen) == [None, None, "", 1024]
        assert len(browser.window_handles) == 1


def test_console_errors_of_a_page_are_reported(browser: Chrome) -> None:
    browser.get("data:text/html,<p>fine</p>")
    assert violations(browser) == []
    policy = "<meta http-equiv=content-security-policy content=\"script-src 'none'\">"
    browser.get(f"data:text/html,{policy}<script>1</script>")
    assert "Content Security Policy" in "".join(violations(browser))
    browser.get("data:text/html,<script>undefined.member</script>")
    assert "TypeError" in "".join(violations(browser))


def test_requests_to_other_machines_are_blocked(browser: Chrome) -> None:
    with pytest.raises(WebDriverException, match="ERR_NAME_NOT_RESOLVED"):
        browser.get("http://www.example.com/")


def test_a_missing_browser_is_reported_and_not_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(pytest.skip.Exception, match="chromium-driver"), chromium():
        raise AssertionError
