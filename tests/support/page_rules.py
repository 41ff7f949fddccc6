"""What holds for every page that a person sees, as a browser finds it once the page is shown."""

from __future__ import annotations

from typing import Any

from chromium import narrow, violations
from selenium.webdriver import Chrome

SMALLEST_PX = 24
"""WCAG 2.2, criterion 2.5.8: what a finger can hit."""

OUTLINE = """
const named = (field) => field.labels?.length > 0 || field.ariaLabel || field.textContent.trim();
const fields = [...document.querySelectorAll("input:not([type=hidden]), select, textarea, button, output")];
const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
return {
  lang: document.documentElement.lang,
  headings: document.querySelectorAll("h1").length,
  titled: document.title.length > 0,
  mode: document.compatMode,
  unnamed: fields.filter((field) => !named(field) && field.checkVisibility()).map((field) => field.outerHTML),
  twice: ids.filter((id, index) => ids.indexOf(id) !== index),
}
"""
GOOD_OUTLINE = {"lang": "en", "headings": 1, "titled": True, "mode": "CSS1Compat", "unnamed": [], "twice": []}

CONTROLS = """
return [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea")]
  .filter((control) => control.checkVisibility())
  .map((control) => [control.outerHTML, control.getBoundingClientRect()])
  .filter(([, {width, height}]) => Math.min(width, height) < arguments[0]).map(([html]) => html)
"""
WIDTH_OVERRUN = """
const {scrollWidth, clientWidth} = document.documentElement;
return scrollWidth - clientWidth
"""
FOREIGN = """
return performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
  .map((entry) => entry.name).filter((url) => new URL(url).origin !== location.origin)
"""
COLOURS = """
const page = document.createElement("p");
page.style.backgroundColor = "Canvas";
document.body.append(page);
const colours = [getComputedStyle(document.activeElement).outlineColor, getComputedStyle(page).backgroundColor];
page.remove();
return colours.map((colour) => colour.match(/[0-9.]+/g).slice(0, 3).map(Number))
"""
INTRUDER = """
const script = document.createElement("script");
script.textContent = "window.intruder = true";
document.body.append(script);
const styled = document.createElement("p");
styled.setAttribute("style", "color: red");
document.body.append(styled);
const seen = [window.intruder, styled.style.color];
script.remove();
styled.remove();
return seen
"""


def outline(browser: Chrome) -> Any:
    """What a screen reader goes by: the language, one heading, a title, a name for each field."""
    return browser.execute_script(OUTLINE)


def width_overrun(browser: Chrome) -> int:
    """By how many pixels the page is wider than a small telephone."""
    narrow(browser)
    got: int = browser.execute_script(WIDTH_OVERRUN)
    return got


def smallest_controls(browser: Chrome) -> list[str]:
    """The controls that are too small for a finger."""
    got: list[str] = browser.execute_script(CONTROLS, SMALLEST_PX)
    return got


def focus_contrast(browser: Chrome, scheme: str) -> float:
    """How the outline of what has the focus stands out from the page, in a scheme of colours (WCAG 2.2, 1.4.11)."""
    wanted = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", wanted)
    outline, page = (_luminance(colour) for colour in browser.execute_script(COLOURS))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    return (max(outline, page) + 0.05) / (min(outline, page) + 0.05)


def foreign_requests(browser: Chrome) -> list[str]:
    """What the page asked for at other origins."""
    got: list[str] = browser.execute_script(FOREIGN)
    return got


def survives_a_script(browser: Chrome) -> bool:
    """Return whether injected scripts and styles are blocked, and clear the console errors that they cause."""
    seen = browser.execute_script(INTRUDER)
    return seen == [None, ""] and len(violations(browser)) >= 2


def _luminance(colour: list[float]) -> float:
    parts = (part / 255 for part in colour)
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
