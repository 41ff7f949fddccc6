"""What the tests of the fake issuer hold in their hands: a client, a browser, and parts that stand without a server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import seeded
from plain_http import Answer, Ask, send
from scripted_browser import Browser, redirected

from fakeissuer.model.profiles import PROFILES
from fakeissuer.model.urls import IssuerURLs
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.key_pool import KeyPool
from fakeissuer.state.seed import seed
from fakeissuer.state.state import IssuerState

URL = "http://127.0.0.1:9400"


@pytest.fixture
def ask() -> Ask:
    return send


@pytest.fixture
def browser(fake_issuer: RunningIssuer) -> Browser:
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
def redeem(fake_issuer: RunningIssuer) -> Callable[..., Answer]:
    """The token endpoint, as the seeded web app sees it."""

    def call(grant_type: str, *, client: str | None = seeded.WEB, server: str = "default", **form: str) -> Answer:
        path = "/oauth2/v1/token" if server == "org" else f"/oauth2/{server}/v1/token"
        return send(fake_issuer.url + path, "POST", form={"grant_type": grant_type, **form}, client=client)

    return call


@pytest.fixture(scope="session")
def pool() -> KeyPool:
    """Keys that all tests share: making them is what takes time."""
    return KeyPool()


@pytest.fixture
def state(pool: KeyPool) -> IssuerState:
    return IssuerState(IssuerURLs(listening_url=URL, public_url=URL), pool, PROFILES["okta"], seed(URL))
