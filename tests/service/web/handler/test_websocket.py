from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from requesting import request
from tornado.httpclient import AsyncHTTPClient, HTTPClientError
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketHandler

from service.errors import (
    AccessDenied,
    InsufficientScope,
    InvalidRequest,
    IssuerUnavailable,
    MissingToken,
    Reason,
    TooManyRequests,
)
from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.credentials.sources import read_credentials, read_header
from service.web.credentials.subprotocol import read_subprotocol
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.websocket import close_code
from service.web.responses.resource import Resource
from service.web.routing.wrap import protected

GOOD = "base64url.bearer.authorization.Z29vZA"  # the token ``good``
CLOSED: list[str] = []
MESSAGES: list[tuple[str, frozenset[str] | None]] = []


class Echo(BearerAuthMixin, WebSocketHandler):
    optional = True

    def open(self) -> None:
        if self.request.query == "reject":
            raise InsufficientScope(["a"])

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        match message:
            case "scope":
                raise InsufficientScope(["a"])
            case "who":
                self.write_message(str(self.current_user and self.current_user.subject))
            case "down":
                return self._down()
            case "renew":
                return self._renew()
            case "sign in":
                return self.reauthenticate("lasting~first")
            case "principal":
                assert self.principal
        return None

    async def _down(self) -> None:
        raise IssuerUnavailable("down")

    async def _renew(self) -> None:
        try:
            await self.reauthenticate("lasting~renewed")
        except AccessDenied:
            await self.write_message(f"still {sorted(self.principal.scopes)}")

    def on_close(self) -> None:
        CLOSED.append("closed")


class Selective(Echo):
    optional = False

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        assert all("bearer" not in name.lower() for name in subprotocols)
        return subprotocols[-1] if subprotocols else None

    def check_origin(self, origin: str) -> bool:
        return origin == "https://selective.example"

    def authorize(self, principal: Principal) -> bool:
        return "renewed" not in principal.scopes


class Slow(Selective):
    async def authorize(self, principal: Principal) -> bool:  # type: ignore[override]  # a coroutine is allowed
        return "renewed" not in principal.scopes


class Recording(BearerAuthMixin, WebSocketHandler):
    optional = True

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        MESSAGES.append((str(message), self.current_user and self.current_user.scopes))
        return self.reauthenticate(str(message)) if "~" in message or message == "bad" else None

    def on_close(self) -> None:
        CLOSED.append("recording")


class OwnUser(Recording):
    """Sets its own ``current_user``."""

    def prepare(self) -> None:
        self.current_user = self

    @property
    def scopes_seen(self) -> frozenset[str]:
        return frozenset({"own"})

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        MESSAGES.append((str(message), self.current_user.scopes_seen))
        return self.reauthenticate(str(message)) if "~" in message else None


class Extended(Echo):
    """Accepts the origins of its base and one more."""

    def check_origin(self, origin: str) -> bool:
        return super().check_origin(origin) or origin == "https://also.example"


class Quiet(BearerAuthMixin, WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        raise AssertionError(f"handled {message!r} after the token had expired")


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], io_loop: IOLoop) -> Iterator[ResourceServerApplication]:
    CLOSED.clear()
    MESSAGES.clear()
    kinds = (Echo, Selective, Slow, Quiet, Recording, Extended, OwnUser)
    service = serve([(f"/{kind.__name__.lower()}", kind) for kind in kinds], cors_origins=["https://listed.example"])
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def connect(base_url: str, http_server: HTTPServer, open_socket: Callable[..., Any]) -> Callable[..., Any]:
    return lambda path, *subprotocols, **headers: open_socket(base_url + path, *subprotocols, **headers)


def _request(*offers: str, authorization: str | None = None) -> HTTPServerRequest:
    fields = [f"Sec-WebSocket-Protocol: {offer}" for offer in offers]
    return request(*fields, *([f"Authorization: {authorization}"] if authorization else []))


SOURCES = (read_header, read_subprotocol)


@pytest.mark.parametrize(
    ("presented", "token"),
    [
        (_request(), None),
        (_request("chat, superchat"), None),
        (_request(f"chat, {GOOD}"), "good"),
        (_request("chat", GOOD), "good"),
        (_request("chat", authorization="Bearer abc"), "abc"),
        (_request(GOOD.replace("base64url.bearer", "BASE64URL.Bearer")), "good"),
    ],
)
def test_an_offered_token_is_read(presented: HTTPServerRequest, token: str | None) -> None:
    credentials = read_credentials(presented, SOURCES)
    assert token == (credentials and credentials.token)


@pytest.mark.parametrize(
    ("presented", "reason"),
    [
        (_request(GOOD, GOOD), Reason.SEVERAL_CREDENTIALS),
        (_request(f"{GOOD}, {GOOD}"), Reason.SEVERAL_CREDENTIALS),
        (_request(GOOD, authorization="Bearer abc"), Reason.SEVERAL_CREDENTIALS),
        (_request("base64url.bearer.authorization."), Reason.MALFORMED_CREDENTIALS),
        (_request("base64url.bearer.authorization.Z29vZA=="), Reason.MALFORMED_CREDENTIALS),
        (_request("base64url.bearer.authorization.Z29vZB"), Reason.MALFORMED_CREDENTIALS),
        (_request("base64url.bearer.authorization.YSBi"), Reason.MALFORMED_CREDENTIALS),
        (_request("base64url.bearer.authorization._w"), Reason.MALFORMED_CREDENTIALS),
        (_request("base64url.bearer.authorization.\xe9"), Reason.MALFORMED_CREDENTIALS),
    ],
)
def test_an_ambiguous_or_malformed_token_is_rejected(presented: HTTPServerRequest, reason: Reason) -> None:
    with pytest.raises(InvalidRequest) as error:
        read_credentials(presented, SOURCES)
    assert reason is error.value.reason


def test_each_error_has_a_close_code() -> None:
    assert 4401 == close_code(MissingToken())
    assert 4403 == close_code(AccessDenied(Reason.ACCESS_DENIED))
    assert 4403 == close_code(InsufficientScope(["a"]))
    assert 1013 == close_code(IssuerUnavailable("")) == close_code(TooManyRequests(""))


@pytest.mark.parametrize(
    ("path", "message", "code"),
    [("/echo", "scope", 4403), ("/echo", "down", 1013), ("/echo", "principal", 4401), ("/echo?reject", "", 4403)],
)
@pytest.mark.gen_test
async def test_an_error_in_a_callback_closes_the_socket(
    path: str, message: str, code: int, connect: Callable[..., Any]
) -> None:
    socket = await connect(path)
    await socket.write_message(message)
    assert await socket.read_message() is None
    assert code == socket.close_code


@pytest.mark.gen_test
async def test_an_optional_token_allows_anonymous_messages(connect: Callable[..., Any]) -> None:
    socket = await connect("/echo")
    await socket.write_message("who")
    assert "None" == await socket.read_message()


@pytest.mark.gen_test
async def test_an_anonymous_client_can_authenticate_in_a_message(
    connect: Callable[..., Any], app: ResourceServerApplication
) -> None:
    context: ResourceServerContext = app.settings[ResourceServerContext.SETTING]
    socket = await connect("/echo")
    await socket.write_message("sign in")
    await socket.write_message("who")
    assert "alice" == await socket.read_message()
    for token in list(context.monitor._tokens):
        token.end()
    assert await socket.read_message() is None
    assert 4401 == socket.close_code


@pytest.mark.gen_test
async def test_select_subprotocol_never_sees_the_token(connect: Callable[..., Any]) -> None:
    for offer in (GOOD, GOOD.replace("bearer", "BEARER")):
        socket = await connect("/selective", "a", offer, "b", Origin="https://selective.example")
        assert "b" == socket.selected_subprotocol
    with pytest.raises(HTTPClientError, match="403"):
        await connect("/selective", GOOD, Origin="https://other.example")


@pytest.mark.parametrize("path", ["/selective", "/slow"])
@pytest.mark.gen_test
async def test_an_unauthorized_token_does_not_replace_the_current_one(
    path: str, connect: Callable[..., Any], app: ResourceServerApplication
) -> None:
    context: ResourceServerContext = app.settings[ResourceServerContext.SETTING]
    socket = await connect(path, Authorization="Bearer lasting~first")
    await socket.write_message("renew")
    assert "still ['first']" == await socket.read_message()
    assert {"first"} == {scope for token in context.monitor._tokens for scope in token.principal.scopes}


@pytest.mark.gen_test
async def test_a_message_after_the_token_expired_is_not_handled(connect: Callable[..., Any]) -> None:
    socket = await connect("/quiet", Authorization="Bearer good")  # expired in 1970
    await socket.write_message("act")
    assert await socket.read_message() is None
    assert 4401 == socket.close_code


@pytest.mark.gen_test
async def test_a_closed_socket_is_no_longer_watched(connect: Callable[..., Any]) -> None:
    socket = await connect("/selective", Authorization="Bearer good")
    socket.close()
    assert await socket.read_message() is None
    while not CLOSED:
        await connect("/echo")


@pytest.mark.gen_test
async def test_current_user_follows_reauthentication(connect: Callable[..., Any]) -> None:
    socket = await connect("/recording")
    for message in ("who", "lasting~first", "who", "lasting~second", "who", "good~gone"):
        await socket.write_message(message)
    await socket.read_message()
    seen = [scopes for message, scopes in MESSAGES if message == "who"]
    assert [None, {"first"}, {"second"}] == seen


@pytest.mark.gen_test
async def test_a_current_user_set_by_the_handler_is_kept(connect: Callable[..., Any]) -> None:
    socket = await connect("/ownuser")
    for message in ("who", "lasting~first", "who", "good~gone"):
        await socket.write_message(message)
    await socket.read_message()
    assert {frozenset({"own"})} == {scopes for _, scopes in MESSAGES}


def _frame(message: str) -> bytes:
    """Return a text frame of a client (RFC 6455 section 5.2), with a mask of zeros."""
    return bytes([0x81, 0x80 | len(message)]) + bytes(4) + message.encode()


@pytest.mark.parametrize("ending", ["a rejected token", "the end of the token", "the end of the service"])
@pytest.mark.gen_test
async def test_messages_after_the_close_are_ignored(
    ending: str, http_server: HTTPServer, http_port: int, app: ResourceServerApplication
) -> None:
    context: ResourceServerContext = app.settings[ResourceServerContext.SETTING]
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(
        b"GET /recording HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Authorization: Bearer lasting~a\r\n\r\n" + _frame("first")
    )
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    while not MESSAGES:  # noqa: ASYNC110  # a handler has no event to wait for
        await asyncio.sleep(0)
    if ending == "a rejected token":
        writer.write(_frame("bad") + _frame("pipelined"))
    elif ending == "the end of the service":
        app.close_long_lived()
    else:
        for token in list(context.monitor._tokens):
            token.end()
    assert b"\x88" == await reader.readexactly(1)  # a close frame, which this client does not return
    for number in range(5):
        writer.write(_frame(f"late {number}"))
        await writer.drain()
    writer.close()
    while "recording" not in CLOSED:  # noqa: ASYNC110  # as above
        await asyncio.sleep(0)
    assert ["first", *["bad"] * (ending == "a rejected token")] == [message for message, _ in MESSAGES]


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/echo", "https://listed.example"),
        ("/echo", "http://{host}"),
        ("/extended", "https://listed.example"),
        ("/extended", "https://also.example"),
        ("/selective", "https://selective.example"),
    ],
)
@pytest.mark.gen_test
async def test_pages_of_allowed_origins_can_connect(
    path: str, origin: str, connect: Callable[..., Any], base_url: str
) -> None:
    host = base_url.partition("//")[2]
    await connect(path, Origin=origin.format(host=host), Authorization="Bearer lasting")


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/echo", "https://other.example"),
        ("/echo", "null"),
        ("/echo", None),
        ("/echo", "http://["),
        ("/echo", "http://a:b"),
        ("/extended", "https://other.example"),
        ("/selective", "https://listed.example"),
        ("/selective", "http://["),
    ],
)
@pytest.mark.gen_test
async def test_other_and_missing_origins_give_the_common_403(
    path: str, origin: str | None, http_client: AsyncHTTPClient, base_url: str
) -> None:
    fields = {"Origin": origin} if origin else {"Sec-Fetch-Site": "cross-site"}
    headers = UPGRADE | fields | {"Authorization": "Bearer lasting"}
    response = await http_client.fetch(base_url + path, headers=headers, raise_error=False)
    assert (403, "access_denied") == (response.code, json.loads(response.body)["error"])
    assert "no-store" == response.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://api.example"}, 101),
        ({"Origin": "https://api.example", "Sec-Fetch-Site": "same-origin"}, 101),
        ({"Origin": "https://listed.example", "Sec-Fetch-Site": "cross-site"}, 101),
        ({}, 101),
        ({"Origin": "http://api.example"}, 403),
        ({"Origin": "https://{host}"}, 403),
        ({"Origin": "http://{host}"}, 403),
        ({"Origin": "https://api.example", "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
@pytest.mark.gen_test
async def test_behind_a_proxy_that_rewrites_host_the_pages_of_the_public_url_can_connect(
    headers: dict[str, str], status: int, serve: Callable[..., ResourceServerApplication], open_socket: Any
) -> None:
    service = serve(
        [("/echo", Echo)], resource=Resource(public_url="https://api.example"), cors_origins=["https://listed.example"]
    )
    server = service.listen(0, "127.0.0.1")
    host = f"127.0.0.1:{next(iter(server._sockets.values())).getsockname()[1]}"
    sent = {name: value.format(host=host) for name, value in headers.items()}
    if status == 101:
        await open_socket(f"http://{host}/echo", **sent)
    else:
        with pytest.raises(HTTPClientError, match="403"):
            await open_socket(f"http://{host}/echo", **sent)
    server.stop()
    await service.close()


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("good", 426)])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Upgrade": "h2c", "Connection": "Upgrade"},
        {"Upgrade": "websocket"},
        *[UPGRADE | {name: ""} for name in UPGRADE],
        *[UPGRADE | {name: value} for name, value in (("Connection", "close"), ("Sec-WebSocket-Version", "1"))],
        *[{name: value for name, value in UPGRADE.items() if name != left_out} for left_out in UPGRADE],
    ],
)
@pytest.mark.gen_test
async def test_a_request_without_an_upgrade_gives_the_common_error(
    token: str | None, status: int, headers: dict[str, str], http_client: AsyncHTTPClient, base_url: str
) -> None:
    if token:
        headers = {**headers, "Authorization": f"Bearer {token}"}
    response = await http_client.fetch(f"{base_url}/quiet", headers=headers, raise_error=False)
    assert status == response.code
    assert {"error", "error_description"} == json.loads(response.body).keys()
    if status == 426:
        assert ("websocket", "13") == (response.headers["Upgrade"], response.headers["Sec-WebSocket-Version"])


@pytest.mark.gen_test
async def test_an_open_socket_is_closed_with_1001_at_shutdown(
    connect: Callable[..., Any], app: ResourceServerApplication
) -> None:
    socket = await connect("/selective", Authorization="Bearer lasting")
    app.close_long_lived()
    assert await socket.read_message() is None
    assert 1001 == socket.close_code


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer lasting"}], ids=["anonymous", "with a token"])
@pytest.mark.gen_test
async def test_a_socket_that_opens_during_the_shutdown_is_closed_with_1001(
    headers: dict[str, str], connect: Callable[..., Any], app: ResourceServerApplication
) -> None:
    app.close_long_lived()
    socket = await connect("/echo", **headers)
    assert await socket.read_message() is None
    assert 1001 == socket.close_code


@pytest.mark.gen_test
async def test_the_socket_of_an_anonymous_client_is_closed_with_1001_at_shutdown(
    connect: Callable[..., Any], app: ResourceServerApplication
) -> None:
    socket = await connect("/echo")
    app.close_long_lived()
    assert await socket.read_message() is None
    assert 1001 == socket.close_code


def test_a_protected_class_keeps_its_own_origin_check() -> None:
    class Existing(WebSocketHandler):
        def check_origin(self, origin: str) -> bool:
            return origin == "https://partner.example"

        def select_subprotocol(self, subprotocols: list[str]) -> str | None:
            return subprotocols[-1]

    handler = protected(Existing)
    assert Existing.check_origin is handler.check_origin
    assert Existing.select_subprotocol is handler.select_subprotocol
