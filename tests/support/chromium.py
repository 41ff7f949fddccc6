"""A real browser without a window: Debian's chromium, driven by its own chromedriver, its profile thrown away."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from shutil import which

import pytest
from selenium.webdriver import Chrome, ChromeOptions, ChromeService

FLAGS = (
    "--headless",
    "--no-sandbox",  # containers and CI run as root, where chromium refuses its sandbox; only our own pages are shown
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Nothing but this machine is reached, whatever a page or the browser itself would like to ask.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--lang=en",
    "--window-size=1024,768",
)


@contextlib.contextmanager
def chromium(*flags: str, accept_insecure_certs: bool = False) -> Iterator[Chrome]:
    """A browser that was never used before and leaves nothing behind; its start takes a second or two."""
    program, driver = which("chromium"), which("chromedriver")
    if program is None or driver is None:
        pytest.skip("chromium or chromedriver is not installed; Debian has them as chromium and chromium-driver")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        options.binary_location = program
        options.accept_insecure_certs = accept_insecure_certs
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        for flag in (*FLAGS, f"--user-data-dir={profile}", *flags):
            options.add_argument(flag)
        # With both programs named, selenium's manager has nothing to look for, to download or to report.
        browser = Chrome(options=options, service=ChromeService(executable_path=driver))
        try:
            browser.set_page_load_timeout(20)
            browser.set_script_timeout(20)
            yield browser
        finally:
            browser.quit()


def forget_everything(browser: Chrome) -> None:
    """Make a used browser as good as new: one empty window of the usual size, no cookie, no storage, no log."""
    first, *others = browser.window_handles
    for other in others:
        browser.switch_to.window(other)
        browser.close()
    browser.switch_to.window(first)
    browser.get("about:blank")
    browser.execute_cdp_cmd("Storage.clearCookies", {})
    browser.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    violations(browser)


def narrow(browser: Chrome, width: int = 320, height: int = 640) -> None:
    """Give the page the size of a small telephone, which a window without a screen does not go down to."""
    size = {"width": width, "height": height, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def violations(browser: Chrome) -> list[str]:
    """What the browser complained of since it was last asked: scripts that failed, rules of a page that were broken."""
    log = browser.get_log("browser")  # type: ignore[no-untyped-call]  # selenium annotates most, not this
    return [entry["message"] for entry in log if entry["level"] in {"SEVERE", "WARNING"}]
