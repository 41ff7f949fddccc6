from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from service.errors import AccessDenied, InvalidToken, Reason, TokenError
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin

OPENED: list[Socket] = []
LATER = 4_000_000_000


class HeldValidator:
    """Validates a token ``subject~scope`` when the test releases it; ``bad~…`` is rejected then."""

    def __init__(self) -> None:
        self.held: dict[str, asyncio.Event] = {}

    async def validate(self, token: PresentedToken) -> Principal | None:
        subject, scope = token.text.split("~")
        await self.held.setdefault(token.text, asyncio.Event()).wait()
        if subject == "bad":
            raise InvalidToken(Reason.EXPIRED)
        return Principal.from_claims({"iss": "test", "exp": LATER, "sub": subject, "scp": [scope]})

    def release(self, token: str) -> None:
        self.held.setdefault(token, asyncio.Event()).set()

    async def check_ready(self) -> None:
        """Return immediately."""

    async def close(self) -> None:
        """Do nothing."""


class Socket(BearerAuthMixin, WebSocketHandler):
    optional = True

    def open(self) -> None:
        OPENED.append(self)


class Approved(BearerAuthMixin, WebSocketHandler):
    """Approves tokens asynchronously, and in its own time."""

    approvals: list[asyncio.Future[bool]] = []  # noqa: RUF012  # shared with the test on purpose

    def open(self) -> None:
        OPENED.append(self)  # type: ignore[arg-type]  # another kind of socket

    async def authorize(self, principal: Principal) -> bool:
        assert principal == self.principal
        if principal.scopes == {"first"}:
            return True
        approval = asyncio.get_running_loop().create_future()
        self.approvals.append(approval)
        return bool(await approval)


class Stream(BearerAuthMixin, tornado.web.RequestHandler):
    async def get(self) -> None:
        try:
            await self.reauthenticate("bob~first")
        except AccessDenied:
            self.write({"still": self.principal.subject})


class Ticker(BearerAuthMixin, tornado.web.RequestHandler):
    """A stream without a token, which ends when the service stops."""

    optional = True

    async def get(self) -> None:
        watched = self.watch_token()
        self.write("begun, ")
        await self.flush()
        await watched.ended.wait()
        self.write("ended")


class PublicTicker(Ticker):
    optional = False
    public = True


@pytest.fixture
def validator() -> HeldValidator:
    return HeldValidator()


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], io_loop: IOLoop) -> Iterator[ResourceServerApplication]:
    OPENED.clear()
    Approved.approvals.clear()
    service = serve(
        [
            ("/socket", Socket),
            ("/approved", Approved),
            ("/stream", Stream),
            ("/ticker", Ticker),
            ("/public", PublicTicker),
        ]
    )
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def connect(base_url: str, http_server: HTTPServer, open_socket: Callable[..., Any]) -> Callable[..., Any]:
    async def opened(path: str, **headers: str) -> Any:
        client = await open_socket(base_url + path, **headers)
        await _until(lambda: bool(OPENED))
        return client

    return opened


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110  # a handler has no event to wait for
        await asyncio.sleep(0)


def _start(*tokens: str) -> list[asyncio.Task[None]]:
    """Call ``reauthenticate`` with each token, in this order, before any of them is validated."""
    return [asyncio.create_task(OPENED[0].reauthenticate(token)) for token in tokens]


ORDERS = [("alice~first", "alice~second"), ("alice~second", "alice~first")]


@pytest.mark.parametrize("order", ORDERS, ids=["first to last", "last to first"])
@pytest.mark.gen_test
async def test_of_two_calls_at_once_the_last_one_wins(
    order: tuple[str, str], connect: Callable[..., Any], validator: HeldValidator
) -> None:
    await connect("/socket")
    calls = _start("alice~first", "alice~second")
    for token in order:
        await asyncio.sleep(0)
        validator.release(token)
        await calls[token == "alice~second"]
    (socket,) = OPENED
    assert {"second"} == socket.principal.scopes
    assert [{"second"}] == [monitored.principal.scopes for monitored in socket._lifetime._monitored]


@pytest.mark.gen_test
async def test_a_last_call_that_is_rejected_leaves_the_earlier_one(
    connect: Callable[..., Any], validator: HeldValidator
) -> None:
    await connect("/socket")
    accepted, rejected = _start("alice~first", "bad~second")
    validator.release("bad~second")
    with pytest.raises(InvalidToken):
        await rejected
    validator.release("alice~first")
    await accepted
    assert {"first"} == OPENED[0].principal.scopes


@pytest.mark.parametrize("order", [("alice~a", "bob~b"), ("bob~b", "alice~a")], ids=["first to last", "last to first"])
@pytest.mark.gen_test
async def test_a_change_of_bearer_closes_the_socket_even_if_the_error_is_caught(
    order: tuple[str, str], connect: Callable[..., Any], validator: HeldValidator
) -> None:
    client = await connect("/socket")
    calls = _start("alice~a", "bob~b")
    for token in order:
        validator.release(token)
        await asyncio.wait([calls[token == "bob~b"]])
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [AccessDenied] == [type(result) for result in results if result is not None]
    assert await client.read_message() is None
    assert 4403 == client.close_code


@pytest.mark.gen_test
async def test_a_change_of_bearer_is_an_error_outside_a_socket(
    call: Callable[..., Any], validator: HeldValidator
) -> None:
    for token in ("alice~first", "bob~first"):
        validator.release(token)
    assert b'{"still": "alice"}' == (await call("/stream", "alice~first")).body


@pytest.mark.gen_test
async def test_a_call_that_is_not_approved_restores_the_token_in_use(
    connect: Callable[..., Any], validator: HeldValidator
) -> None:
    for scope in ("first", "second", "third"):
        validator.release(f"alice~{scope}")
    await connect("/approved", Authorization="Bearer alice~first")
    second, third = _start("alice~second", "alice~third")
    await _until(lambda: bool(Approved.approvals))
    await asyncio.sleep(0)
    assert 1 == len(Approved.approvals)  # one call at a time
    Approved.approvals[0].set_result(True)
    await second
    await _until(lambda: len(Approved.approvals) == 2)
    Approved.approvals[1].set_result(False)
    with pytest.raises(TokenError):
        await third
    assert {"second"} == OPENED[0].principal.scopes


@pytest.mark.parametrize("path", ["/ticker", "/public"])
@pytest.mark.gen_test
async def test_a_stream_without_a_token_is_told_that_the_service_stops(
    path: str, app: ResourceServerApplication, http_client: AsyncHTTPClient, base_url: str, http_server: HTTPServer
) -> None:
    received: list[bytes] = []
    response = http_client.fetch(base_url + path, streaming_callback=received.append)
    await _until(lambda: bool(received))
    app.close_long_lived()
    await response
    assert b"begun, ended" == b"".join(received)
