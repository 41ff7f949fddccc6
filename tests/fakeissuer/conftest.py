"""A plain HTTP client, so that what is tested is what is on the wire, and parts that stand without a server."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from scripted_browser import WEB, Browser, redirected

from fakeissuer.addresses import Addresses
from fakeissuer.handle import Handle
from fakeissuer.key_pool import KeyPool
from fakeissuer.profiles import PROFILES
from fakeissuer.seed import seed
from fakeissuer.state import State

TIMEOUT_S = 10
URL = "http://127.0.0.1:9400"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Ask = Callable[..., Answer]


def send(
    url: str,
    method: str = "GET",
    *,
    form: dict[str, Any] | None = None,
    body: bytes | None = None,
    client: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Send one request on a connection of its own; `client` is `id:secret`, for Basic."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    if form is not None:
        body = urlencode(form, doseq=True).encode()
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    if client is not None:
        sent["Authorization"] = "Basic " + base64.b64encode(client.encode()).decode()
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()


@pytest.fixture
def ask() -> Ask:
    return send


@pytest.fixture
def browser(fake_issuer: Handle) -> Browser:
    return Browser(send, fake_issuer.url)


@pytest.fixture
def code(browser: Browser) -> Callable[..., str]:
    """A fresh code for alice, for what is asked."""

    def call(**parameters: str) -> str:
        answer = browser.authorize(**parameters)
        if answer.headers["Location"].startswith("/signin"):
            answer = browser.sign_in(answer)
        return redirected(answer)["code"]

    return call


@pytest.fixture
def redeem(fake_issuer: Handle) -> Callable[..., Answer]:
    """The token endpoint, as the seeded web app sees it."""

    def call(
        grant_type: str, *, client: str | None = f"{WEB}:web-secret", server: str = "default", **form: str
    ) -> Answer:
        path = "/oauth2/v1/token" if server == "org" else f"/oauth2/{server}/v1/token"
        return send(fake_issuer.url + path, "POST", form={"grant_type": grant_type, **form}, client=client)

    return call


@pytest.fixture(scope="session")
def pool() -> KeyPool:
    """Keys that all tests share: making them is what takes time."""
    return KeyPool()


@pytest.fixture
def state(pool: KeyPool) -> State:
    return State(Addresses(listening_url=URL, public_url=URL), pool, PROFILES["okta"], seed(URL))
