"""A browser for the tests of a module, reset for each test; an error in its console fails the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from chromium import chromium, forget_everything, violations
from client_site import site
from selenium.webdriver import Chrome


@pytest.fixture(scope="module")
def started_browser() -> Iterator[Chrome]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(started_browser: Chrome) -> Iterator[Chrome]:
    """One browser for all tests of a module, since each start takes a second or two.

    A test that expects a complaint takes it out with ``violations``.
    """
    forget_everything(started_browser)
    yield started_browser
    assert violations(started_browser) == []


@pytest.fixture(scope="module")
def client_url() -> Iterator[str]:
    """The web site of a client, with an empty page at each redirect URI."""
    with site() as url:
        yield url
