"""Fixtures: an HTTP client, a browser without a display, and the state of an issuer without a server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import seeded_clients
from plain_http import Response, Send, send
from scripted_browser import Browser, redirected

from fakeissuer.model.urls import IssuerURLs
from fakeissuer.profiles.names import profile_named
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.key_pool import KeyPool
from fakeissuer.state.seed import seed
from fakeissuer.state.state import IssuerState

URL = "http://127.0.0.1:9400"


@pytest.fixture
def ask() -> Send:
    return send


@pytest.fixture
def browser(fake_issuer: RunningIssuer) -> Browser:
    return Browser(send, fake_issuer.url)


@pytest.fixture
def code(browser: Browser) -> Callable[..., str]:
    """Return a new code for alice; the arguments are request parameters."""

    def call(**parameters: str) -> str:
        answer = browser.authorize(**parameters)
        if answer.headers["Location"].startswith("/signin"):
            answer = browser.sign_in(answer)
        return redirected(answer)["code"]

    return call


@pytest.fixture
def redeem(fake_issuer: RunningIssuer) -> Callable[..., Response]:
    """Send a request to the token endpoint, by default as the seeded web app."""

    def call(
        grant_type: str, *, client: str | None = seeded_clients.WEB, server: str = "default", **form: str
    ) -> Response:
        path = "/oauth2/v1/token" if server == "org" else f"/oauth2/{server}/v1/token"
        return send(fake_issuer.url + path, "POST", form={"grant_type": grant_type, **form}, client=client)

    return call


@pytest.fixture(scope="session")
def pool() -> KeyPool:
    """Keys that all tests share, because generating them is slow."""
    return KeyPool()


@pytest.fixture
def state(pool: KeyPool) -> IssuerState:
    return IssuerState(IssuerURLs(listening_url=URL, public_url=URL), pool, profile_named("okta"), seed(URL))
