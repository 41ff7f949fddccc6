"""Pictures for the documentation, taken where a test looks at a page: ``DOCS_IMAGES=1 pytest tests/browser``."""

from __future__ import annotations

import os
from pathlib import Path

from selenium.webdriver import Chrome

IMAGES = Path(__file__).parents[2] / "docs/images"


def picture(browser: Chrome, name: str, *, width: int) -> None:
    """Take a picture of the whole page, but only in a run that was asked to: any other leaves the tree as it is."""
    if not os.environ.get("DOCS_IMAGES"):
        return
    IMAGES.mkdir(exist_ok=True)
    size = {"width": width, "height": 1, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    height = browser.execute_script("document.activeElement.blur(); return document.documentElement.scrollHeight")
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {**size, "height": height})
    assert browser.save_screenshot(str(IMAGES / f"{name}.png"))
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
