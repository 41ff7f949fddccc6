from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import tornado.web
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from service import policy
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public

RAN: list[str] = []


class Things(BearerAuthMixin, RequestHandler):
    scopes: ClassVar = {"GET": "read"}

    def get(self, name: str = "") -> None:
        RAN.append(f"get {name}")
        self.set_header("X-Thing", name or "all")
        self.set_header("Cache-Control", "max-age=5")
        self.write({"name": name * 1000})

    def post(self, name: str = "") -> None:
        self.write(name)


class Own(Things):
    def head(self, name: str = "") -> None:
        RAN.append(f"head {name}")


class Decorated(BearerAuthMixin, RequestHandler):
    public = True

    @policy(scopes="read")
    def get(self) -> None:
        self.write("secret")


class Streaming(BearerAuthMixin, RequestHandler):
    """Sends events until the client disconnects."""

    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        try:
            while True:
                self.write("data: 1\n\n")
                await self.flush()
                await asyncio.sleep(0.01)
        finally:
            RAN.append("ended")


class Large(BearerAuthMixin, RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Length", "200000")
        for _ in range(2):
            self.write(b"a" * 100_000)
            await self.flush()


class Failing(BearerAuthMixin, RequestHandler):
    def get(self) -> None:
        raise tornado.web.HTTPError(409, reason="Sold out")


class WithoutGet(BearerAuthMixin, RequestHandler):
    def post(self) -> None:
        """Do nothing."""


class Socket(BearerAuthMixin, WebSocketHandler):
    """Must not be opened by HEAD, whose origin is not checked."""


class OwnExecute(RequestHandler):
    async def _execute(self, transforms: Any, *_args: Any, **_kwargs: Any) -> None:
        self._transforms = transforms
        getattr(self, str(self.request.method).lower())()
        await self.finish()

    def get(self) -> None:
        self.write("mine")


KINDS = (Own, Decorated, Streaming, Large, Failing, WithoutGet, Socket)


@pytest.fixture
def routes() -> list[Any]:
    RAN.clear()
    moved = public(tornado.web.RedirectHandler)
    return [
        (r"/Things/(.*)", Things),
        *((f"/{kind.__name__}", kind) for kind in KINDS),
        (r"/Moved", moved, {"url": "/there"}),
        (r"/OwnExecute", protected(OwnExecute)),
    ]


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], routes: list[Any]) -> ResourceServerApplication:
    return serve(routes, head_as_get=True, compress_response=True)


HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
}


@pytest.mark.parametrize("headers", [{}, {"Accept-Encoding": "gzip"}], ids=["plain", "gzip"])
@pytest.mark.parametrize("path", ["/Things/a", "/Things/", "/Decorated", "/Moved", "/Failing", "/Large", "/OwnExecute"])
@pytest.mark.gen_test
async def test_head_gets_the_header_fields_of_get(
    path: str, headers: dict[str, str], http_client: Any, base_url: str
) -> None:
    headers = headers | {"Authorization": "Bearer lasting~read"}
    get, head = [
        await http_client.fetch(
            base_url + path,
            method=method,
            headers=headers,
            follow_redirects=False,
            decompress_response=False,
            raise_error=False,
        )
        for method in ("GET", "HEAD")
    ]
    assert (get.code, get.reason, b"") == (head.code, head.reason, head.body)
    assert _fields(get) == _fields(head)


def _fields(response: Any) -> dict[str, str]:
    # A response to HEAD may omit what only frames the content (RFC 9112 section 6.1).
    return {
        name: value
        for name, value in response.headers.items()
        if name not in {"Date", "Transfer-Encoding", "X-Request-Id"}
    }


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/Things/a", None, 401),
        ("/Things/a", "bad", 401),
        ("/Things/a", "lasting", 403),
        ("/Decorated", None, 401),
        ("/Decorated", "lasting", 403),
        ("/Own", "lasting", 403),
        ("/Streaming", None, 401),
        ("/Socket", None, 401),
    ],
)
@pytest.mark.gen_test
async def test_head_needs_what_get_needs(path: str, token: str | None, status: int, call: Callable[..., Any]) -> None:
    assert status == (await call(path, token, "HEAD")).code
    assert [] == RAN


@pytest.mark.gen_test
async def test_a_handler_with_a_head_keeps_it(call: Callable[..., Any]) -> None:
    assert 200 == (await call("/Own", "lasting~read", "HEAD")).code
    assert ["head "] == RAN


@pytest.mark.parametrize("path", ["/WithoutGet", "/Socket"])
@pytest.mark.gen_test
async def test_a_handler_without_a_get_and_a_websocket_do_not_support_head(path: str, call: Callable[..., Any]) -> None:
    assert 405 == (await call(path, "lasting", "HEAD", **HANDSHAKE)).code


@pytest.mark.gen_test
async def test_a_stream_of_events_ends_with_its_header_and_keeps_the_connection(
    http_port: int, http_server: Any
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    for _ in range(2):
        writer.write(b"HEAD /Streaming HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer lasting\r\n\r\n")
        header = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert header.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"text/event-stream" in header
    writer.close()
    assert ["ended"] * 2 == RAN


@pytest.mark.gen_test
async def test_a_405_and_a_preflight_list_head(call: Callable[..., Any]) -> None:
    assert "GET, HEAD, POST" == (await call("/Things/a", "lasting", "DELETE")).headers["Allow"]
    assert "POST" == (await call("/WithoutGet", "lasting", "DELETE")).headers["Allow"]


class TestWithoutTheSetting:
    """Tornado responds 405 to HEAD."""

    @pytest.fixture
    def app(self, serve: Callable[..., ResourceServerApplication], routes: list[Any]) -> ResourceServerApplication:
        return serve(routes)

    @pytest.mark.gen_test
    async def test_head_is_not_supported(self, call: Callable[..., Any]) -> None:
        response = await call("/Things/a", "lasting~read", "HEAD")
        assert (405, "GET, POST") == (response.code, response.headers["Allow"])
        assert [] == RAN
