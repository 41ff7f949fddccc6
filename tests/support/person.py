"""What a person does and sees in a browser: waiting for a page, filling in fields, pressing buttons and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

__all__ = ["PATIENCE_S", "fill_in", "focused", "landed", "press", "press_keys", "shows", "tab_to", "until"]

T = TypeVar("T")

PATIENCE_S = 20
"""How long a page may take on a machine that is busy with everything else."""

TABS = 60
"""More than any of our pages has stops for the keyboard."""


def until(browser: Chrome, holds: Callable[[], T | None], what: str = "") -> T:
    """Wait for what a page does by itself; an element that is not there yet, or no more, is waited for as well."""
    ignored = (NoSuchElementException, StaleElementReferenceException)
    return WebDriverWait(browser, PATIENCE_S, 0.05, ignored).until(lambda _: holds() or False, what)


def shows(browser: Chrome, selector: str, text: str) -> bool:
    """Wait until the page shows this text there; the heading of the page is `h1`."""
    return until(browser, lambda: browser.find_element(By.CSS_SELECTOR, selector).text == text, f"{selector}: {text}")


def press(browser: Chrome, label: str) -> None:
    """Press the button that is called so, once it is there."""

    def pressed() -> bool:
        # Finding and clicking are one try: the page may be replaced between them.
        button = _named(browser, "button", label)
        if button is not None:
            button.click()
        return button is not None

    until(browser, pressed)


def fill_in(browser: Chrome, label: str, text: str) -> WebElement:
    """Type into the field that this label belongs to, in place of what was there."""
    name = until(browser, lambda: _named(browser, "label", label)).get_dom_attribute("for")
    field = browser.find_element(By.ID, name)
    field.clear()
    field.send_keys(text)
    return field


def press_keys(browser: Chrome, *keys: str) -> None:
    """Press keys, wherever the focus is."""
    ActionChains(browser).send_keys(*keys).perform()


def focused(browser: Chrome) -> str:
    """Wait until the keyboard is at something of the page, and return a button by its text, a field by its name."""

    def label() -> str | None:
        element = browser.switch_to.active_element
        return None if element.tag_name == "body" else element.text or str(element.get_property("name"))

    return until(browser, label)


def tab_to(browser: Chrome, start: str) -> None:
    """Press the tabulator until the keyboard is at what starts so."""
    passed: list[str] = []
    while len(passed) < TABS:
        press_keys(browser, Keys.TAB)
        passed.append(focused(browser))
        if passed[-1].startswith(start):
            return
    raise AssertionError(f"no {start!r} within {TABS} tabs, only {passed}")


def landed(browser: Chrome, url: str) -> dict[str, str]:
    """Wait until the browser is at a client, and return what it was told in the query or the fragment."""
    until(browser, lambda: browser.current_url.startswith(url))
    parts = urlsplit(browser.current_url)
    return dict(parse_qsl(parts.fragment or parts.query))


def _named(browser: Chrome, tag: str, text: str) -> WebElement | None:
    return next((found for found in browser.find_elements(By.TAG_NAME, tag) if found.text == text), None)
