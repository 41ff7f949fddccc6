"""The page of the example with tasks: the login at the issuer, live updates and the end of the session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import violations
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from tasks.app import make_tasks
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings


@pytest.fixture
def app(
    fake_issuer: RunningIssuer, io_loop: IOLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ResourceServerApplication]:
    monkeypatch.setenv("TASKS_FOLDER", str(tmp_path))
    tasks = make_tasks(Settings.from_keywords(issuer=fake_issuer.issuer_url()))
    yield tasks
    io_loop.run_sync(tasks.close)


def _wait(browser: Chrome) -> WebDriverWait[Chrome]:
    """Wait for an element of the next page while the last one is going away."""
    return WebDriverWait(browser, 10, ignored_exceptions=[NoSuchElementException, StaleElementReferenceException])


def _press(browser: Chrome, text: str) -> None:
    _wait(browser).until(lambda page: page.find_element(By.XPATH, f"//button[contains(., '{text}')]")).click()


def _wait_for(browser: Chrome, text: str) -> None:
    _wait(browser).until(lambda page: text in page.find_element(By.TAG_NAME, "body").text)


def _use_the_page(browser: Chrome, url: str) -> None:
    browser.get(url)
    _press(browser, "alice@example.com")
    _wait_for(browser, "Tasks of alice@example.com")
    browser.find_element(By.NAME, "title").send_keys("Buy milk")
    _press(browser, "Add")
    _wait_for(browser, "Buy milk")


def _sign_out(browser: Chrome) -> None:
    _press(browser, "Sign out")
    _wait_for(browser, "You are signed out.")
    assert [cookie for cookie in browser.get_cookies() if cookie["name"] == "__Host-tasks"] == []


@pytest.mark.gen_test(timeout=90)
async def test_a_user_signs_in_adds_a_task_sees_another_one_arrive_and_signs_out(
    browser: Chrome, base_url: str, http_server: object, fake_issuer: RunningIssuer, http_client: AsyncHTTPClient
) -> None:
    # The issuer is at 127.0.0.1, so that it is another site than the page.
    url = base_url.replace("127.0.0.1", "localhost")
    await asyncio.to_thread(_use_the_page, browser, url)
    token = fake_issuer.token(sub="alice@example.com", scp="api:write")
    headers = {"Authorization": f"Bearer {token}"}
    await http_client.fetch(f"{base_url}/api/tasks", method="POST", headers=headers, body='{"title": "Buy bread"}')
    await asyncio.to_thread(_wait_for, browser, "Buy bread")
    await asyncio.to_thread(_sign_out, browser)
    assert ["favicon.ico" in complaint for complaint in violations(browser)] == [True]  # the example has none
