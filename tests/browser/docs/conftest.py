"""An API with its docs page and an issuer, shared by all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from docs_page import NOTES, open_page, serving
from scripted_browser import SPA
from selenium.webdriver import Chrome

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer


@pytest.fixture(scope="module")
def started_issuer() -> Iterator[RunningIssuer]:
    with running() as issuer:
        yield issuer


@pytest.fixture
def issuer(started_issuer: RunningIssuer) -> RunningIssuer:
    started_issuer.reset()
    return started_issuer


@pytest.fixture(scope="module")
def api_url(started_issuer: RunningIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("api")
    (folder / "notes.py").write_text(NOTES)
    settings = {
        "OKTA_OAUTH2_ISSUER": started_issuer.issuer_url(),
        "SERVICE_DOCS_CLIENT_ID": SPA,
    }
    with serving("--routes", "notes:routes", folder=folder, **settings) as url:
        yield url


@pytest.fixture
def page(browser: Chrome, api_url: str, issuer: RunningIssuer) -> Chrome:
    open_page(browser, f"{api_url}/docs")
    return browser
