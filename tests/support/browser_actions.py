"""What a person does and sees in a browser: waiting for a page, filling in fields, pressing buttons and keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar
from urllib.parse import parse_qsl, urlsplit

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException, WebDriverException
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

T = TypeVar("T")

PATIENCE_S = 20
"""How long a page may take on a machine that is busy with everything else."""

GONE = "does not belong to the document"
"""What chromedriver says, at times, of an element whose page is just replaced, instead of calling it stale."""


def until(browser: Chrome, holds: Callable[[], T | None], what: str = "") -> T:
    """Wait for what a page does by itself; an element that is not there yet, or no more, is waited for as well."""

    def tried(_: Chrome) -> T | Literal[False]:
        try:
            return holds() or False
        except (NoSuchElementException, StaleElementReferenceException):
            return False
        except WebDriverException as exc:
            if GONE not in (exc.msg or ""):
                raise
            return False

    return WebDriverWait(browser, PATIENCE_S, 0.05).until(tried, what)


def shows(browser: Chrome, selector: str, text: str) -> bool:
    """Wait until the page shows this text there; the heading of the page is ``h1``."""
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
    """Wait until the keyboard is at something of the page, and return its text, or what a field without is called."""
    return until(browser, lambda: _focused_now(browser))


def tab_to(browser: Chrome, start: str) -> list[str]:
    """Press the tabulator until the keyboard is at what starts so, and return where it stopped on its way.

    A key that comes before a busy browser has given its page the keyboard is lost: nothing waits for what one key does.
    """
    stops: list[str] = []

    def reached() -> bool:
        press_keys(browser, Keys.TAB)
        if stop := _focused_now(browser):
            stops.append(stop)
        return bool(stops) and stops[-1].startswith(start)

    until(browser, reached, f"the keyboard is at {start}")
    return stops


def landed(browser: Chrome, url: str) -> dict[str, str]:
    """Wait until the browser is at a client, and return what it was told in the query or the fragment."""
    until(browser, lambda: browser.current_url.startswith(url))
    parts = urlsplit(browser.current_url)
    return dict(parse_qsl(parts.fragment or parts.query))


def _focused_now(browser: Chrome) -> str | None:
    element = browser.switch_to.active_element
    if element.tag_name == "body":
        return None
    return element.text or str(element.get_property("name") or element.get_property("id") or element.tag_name)


def _named(browser: Chrome, tag: str, text: str) -> WebElement | None:
    return next((found for found in browser.find_elements(By.TAG_NAME, tag) if found.text == text), None)
