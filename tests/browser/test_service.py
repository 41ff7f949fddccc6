"""Cross-origin requests and WebSockets of a page to the service, in a real browser."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import prices
import pytest
from chromium import violations
from client_site import site
from selenium.webdriver import Chrome
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock
from service.web.endpoints import okta_guide
from service.web.handler.context import ResourceServerContext

Run = Callable[..., Awaitable[Any]]

FETCH = """
const answer = await fetch(url + "/api/whoami", token ? {headers: {Authorization: "Bearer " + token}} : {});
return [answer.status, answer.headers.get("WWW-Authenticate"), await answer.json()];
"""
SOCKET = """
const socket = new WebSocket(url.replace("http", "ws") + "/prices/socket", offers);
window.ended = new Promise((go) => { socket.onclose = ({code, reason}) => go([code, reason]); });
const answered = new Promise((go) => {
  socket.onopen = () => socket.send("{}");
  socket.onmessage = ({data}) => go([socket.protocol, JSON.parse(data)]);
});
return await Promise.race([answered, ended]);
"""


@pytest.fixture
def clock(fake_issuer: RunningIssuer) -> ManualClock:
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture(scope="module")
def listed() -> Iterator[str]:
    with site() as url:
        yield url


@pytest.fixture(scope="module")
def unlisted() -> Iterator[str]:
    with site() as url:
        yield url


@pytest.fixture
def app(
    fake_issuer: RunningIssuer, io_loop: IOLoop, clock: ManualClock, listed: str
) -> Iterator[ResourceServerApplication]:
    settings = Settings(issuer=fake_issuer.issuer_url(), cors_origins=(listed,))
    service = make_app(settings, routes=[*okta_guide.ROUTES, *prices.ROUTES], clock=clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def run(browser: Chrome, base_url: str) -> Run:
    """Return a function that runs a script in a page while the event loop keeps serving."""

    async def call(script: str, page: str | None = None, **names: Any) -> Any:
        if page is not None:
            await asyncio.to_thread(browser.get, page)
        given = {"url": base_url, **names}
        body = f"(async () => {{{script}}})().then(done, (error) => done(error.name))"
        body = f"const [{', '.join(given)}, done] = arguments; {body}"
        return await asyncio.to_thread(browser.execute_async_script, body, *given.values())

    return call


def offer(token: str) -> str:
    return "base64url.bearer.authorization." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")


@pytest.mark.gen_test(timeout=60)
async def test_a_page_of_a_listed_origin_reads_the_error_response(
    run: Run, browser: Chrome, listed: str, http_server: object
) -> None:
    status, challenge, body = await run(FETCH, listed, token=None)
    assert (status, body["error"]) == (401, "missing_token")
    assert challenge.startswith('Bearer realm="api", DPoP realm="api", algs=')
    status, challenge, _ = await run(FETCH, token="nonsense")
    assert (status, 'error="invalid_token"' in challenge) == (401, True)
    assert ["status of 401" in complaint for complaint in violations(browser)] == [True, True]


@pytest.mark.gen_test(timeout=60)
async def test_a_page_of_a_listed_origin_sends_a_token(
    run: Run, listed: str, fake_issuer: RunningIssuer, http_server: object
) -> None:
    status, _, claims = await run(FETCH, listed, token=fake_issuer.token(sub="alice@example.com"))
    assert (status, claims["sub"]) == (200, "alice@example.com")


@pytest.mark.gen_test(timeout=60)
async def test_a_page_of_an_unlisted_origin_reads_no_response(
    run: Run, browser: Chrome, unlisted: str, fake_issuer: RunningIssuer, http_server: object
) -> None:
    for token in (None, fake_issuer.token()):
        assert await run(FETCH, unlisted, token=token) == "TypeError"
        assert "CORS policy" in violations(browser)[0]


@pytest.mark.gen_test(timeout=60)
async def test_a_socket_with_its_token_as_a_subprotocol_closes_when_the_token_expires(
    run: Run,
    listed: str,
    fake_issuer: RunningIssuer,
    clock: ManualClock,
    app: ResourceServerApplication,
    http_server: object,
) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="api:read", expires_in=60)
    protocol, answer = await run(SOCKET, listed, offers=["prices.v1", offer(token)])
    assert (protocol, answer) == ("prices.v1", {"for": "alice@example.com", "price": 3})
    clock.advance(60)
    context: ResourceServerContext = app.settings[ResourceServerContext.SETTING]
    await context.monitor.check_all()
    assert await run("return await ended") == [4401, "token ended"]


@pytest.mark.gen_test(timeout=60)
async def test_a_socket_is_rejected_before_the_upgrade(
    run: Run, browser: Chrome, listed: str, unlisted: str, fake_issuer: RunningIssuer, http_server: object
) -> None:
    good = offer(fake_issuer.token(scp="api:read"))
    for page, offers in [
        (listed, ["prices.v1"]),
        (listed, ["prices.v1", offer("bad")]),
        (unlisted, ["prices.v1", good]),
    ]:
        assert await run(SOCKET, page, offers=offers) == [1006, ""]
        assert "WebSocket connection" in violations(browser)[0]


@pytest.mark.gen_test(timeout=60)
async def test_a_browser_needs_a_second_subprotocol_beside_the_token(
    run: Run, browser: Chrome, listed: str, fake_issuer: RunningIssuer, http_server: object
) -> None:
    # RFC 6455 section 4.1 allows it, but browsers fail the connection, so the docs say to offer a second subprotocol.
    assert await run(SOCKET, listed, offers=[offer(fake_issuer.token(scp="api:read"))]) == [1006, ""]
    assert "Sec-WebSocket-Protocol" in violations(browser)[0]
