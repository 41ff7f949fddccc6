"""What a person does with the page that describes an API; and the API that it describes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from browser_actions import press, shows, until
from chromium import violations
from programs import LOG_PIPE_SIZE, clean_environment, listening
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

NOTES = '''
import json
import tornado.web
from service import BearerAuthMixin
from service.web.endpoints.okta_guide import ROUTES

class Notes(BearerAuthMixin, tornado.web.RequestHandler):
    """Notes by their numbers."""

    scopes = {"PUT": "api:write"}
    max_age = 3600
    openapi = {"GET": {"parameters": [{"in": "query", "name": "words", "schema": {"type": "integer"}}]}}

    def get(self, number):
        """Read <b>one</b>."""
        self.write({"number": number, "words": self.get_argument("words", None)})

    def put(self, number):
        """Write one."""
        self.write({"kept": json.loads(self.request.body)})

class Sealed(BearerAuthMixin, tornado.web.RequestHandler):
    dpop = "required"
    dpop_nonce = True

    def post(self, name):
        """Seal something."""
        self.write({"key": self.principal.claims["cnf"]["jkt"]})

routes = [*ROUTES, (r"/sealed/(.*)", Sealed), (r"/notes/([0-9]+)", Notes), (r"/any/(.*)", Notes)]
'''
GET_NOTE, PUT_NOTE, WHOAMI = "#operation-getNotes", "#operation-putNotes", "#operation-getWhoAmI"
SEAL = "#operation-postSealed"


class serving:  # noqa: N801  # read as a verb: with serving(...)
    """``python -m service`` with these arguments, on a free port, for as long as it is needed."""

    def __init__(self, *arguments: str, folder: Path, **settings: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service", "--port", "0", *arguments],
            cwd=folder,
            env=clean_environment() | {"PYTHONPATH": str(folder)} | settings,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pipesize=LOG_PIPE_SIZE,
            text=True,
        )

    def __enter__(self) -> str:
        return listening(self._process)

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.communicate(timeout=20)


def open_page(browser: Chrome, url: str) -> None:
    browser.get(url)
    wait_until_ready(browser)


def wait_until_ready(browser: Chrome) -> None:
    until(browser, lambda: browser.execute_script("return document.body.dataset.ready || null"), "ready")


def find(browser: Chrome, selector: str) -> Any:
    return until(browser, lambda: browser.find_element(By.CSS_SELECTOR, selector), selector)


def send(browser: Chrome, operation: str, **fields: str) -> str:
    """Fill in the form of an operation and send it; returns the status and the phrase."""
    details = find(browser, operation)
    if details.get_property("open") is not True:
        find(browser, f"{operation} > summary").click()
    for label in details.find_elements(By.CSS_SELECTOR, "form label"):
        if (name := label.text.split("\n")[0].partition(" ")[0]) in fields:
            label.find_element(By.CSS_SELECTOR, "input, textarea").send_keys(fields[name])
    browser.execute_script(
        "document.querySelector(arguments[0]).querySelector('[role=status]').textContent = ''", operation
    )
    find(browser, f"{operation} form > button").click()
    status: str = find(browser, f"{operation} .response").text
    if not status.startswith("2"):
        violations(browser)  # chromium complains of every refusal
    return status


def body(browser: Chrome, operation: str) -> Any:
    return json.loads(find(browser, f"{operation} pre").text)


def explanation(browser: Chrome, operation: str) -> str:
    text: str = find(browser, f"{operation} [role=status] .problem").text
    return text


def failed_statuses(browser: Chrome) -> list[str]:
    """Return the statuses of the failed requests since the last call; the browser may report nothing else."""
    reports = violations(browser)
    found = [status for text in reports for status in re.findall(r"status of (\d{3})", text)]
    assert len(reports) == len(found), reports
    return found


def sign_in_as_alice(browser: Chrome) -> list[str]:
    """Sign in, and return the statuses of failed requests; with DPoP, the issuer rejects a proof without its nonce."""
    press(browser, "Authorize")
    press(browser, "Alice Adams (alice@example.com)")
    shows(browser, "#state", "Signed in as alice@example.com, for 60 minutes.")
    wait_until_ready(browser)
    return failed_statuses(browser)


def paste(browser: Chrome, token: str) -> None:
    if not find(browser, "#token").is_displayed():
        find(browser, "main details > summary").click()
    find(browser, "#token").send_keys(token)
    press(browser, "Use this token")
