from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar

import pytest
import tornado.web
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from service.tokens.principal import Principal
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.wrap import protected, public

APP = "https://app.example"
RAN: list[str] = []


class Relying(RequestHandler):
    """Relies on its ``prepare`` everywhere, as handlers of other libraries do: each method fails unless it has run."""

    def prepare(self) -> Awaitable[None] | None:
        self.session = "open"
        return None

    def _use(self, name: str) -> None:
        RAN.append(name)
        assert self.session == "open"

    def get(self) -> None:
        self.write({"session": self.session})

    post = get

    def finish(self, *args: Any, **kwargs: Any) -> Any:
        self._use("finish")
        return super().finish(*args, **kwargs)

    def flush(self, *args: Any, **kwargs: Any) -> Any:
        self._use("flush")
        return super().flush(*args, **kwargs)

    def write(self, *args: Any, **kwargs: Any) -> None:
        self._use("write")
        return super().write(*args, **kwargs)

    def write_error(self, *args: Any, **kwargs: Any) -> None:
        self._use("write_error")
        return super().write_error(*args, **kwargs)

    def send_error(self, *args: Any, **kwargs: Any) -> None:
        self._use("send_error")
        return super().send_error(*args, **kwargs)

    def log_exception(self, *args: Any, **kwargs: Any) -> None:
        self._use("log_exception")
        return super().log_exception(*args, **kwargs)

    def compute_etag(self) -> str | None:
        self._use("compute_etag")
        return super().compute_etag()

    def get_status(self) -> int:
        self._use("get_status")
        return super().get_status()

    def set_status(self, *args: Any, **kwargs: Any) -> None:
        self._use("set_status")
        return super().set_status(*args, **kwargs)

    def on_finish(self) -> None:
        self._use("on_finish")

    def on_connection_close(self) -> None:
        self._use("on_connection_close")

    def data_received(self, _chunk: bytes) -> None:
        self._use("data_received")


class Inheriting(BearerAuthMixin, Relying):
    """Has the mixin first."""


class InheritingLast(Relying, BearerAuthMixin):
    """Has the mixin last."""


@tornado.web.stream_request_body
class Streaming(BearerAuthMixin, Relying):
    """Receives its body while it is sent."""


class Denying(BearerAuthMixin, Relying):
    async def authorize(self, _principal: Principal) -> bool:
        self.set_header("X-Secret", "of the denied user")
        self.set_cookie("secret", "of the denied user")
        return False


class Failing(BearerAuthMixin, Relying):
    """Lets its ``authorize`` respond with a status of its own."""

    def authorize(self, _principal: Principal) -> bool:
        raise tornado.web.HTTPError(int(self.get_argument("status")), reason="Mine")


class Socket(BearerAuthMixin, WebSocketHandler):
    def prepare(self) -> None:
        self.session = "open"

    def on_finish(self) -> None:
        RAN.append(self.session)


class Defaults(BearerAuthMixin, RequestHandler):
    """Sets header fields of every response."""

    optional = True

    def set_default_headers(self) -> None:
        RAN.append("set_default_headers")
        self.set_header("Strict-Transport-Security", "max-age=63072000")
        self.add_header("Link", "</a>")
        self.add_header("Link", "</b>")
        self.set_header("Content-Type", "application/pdf")
        self.set_header("Content-Length", "1000")
        self.set_header("Cache-Control", "public, max-age=60")
        self.set_header("WWW-Authenticate", "Mine")

    def get(self) -> None:
        self.set_header("Content-Length", "2")
        self.write("{}")


class Challenging(BearerAuthMixin, Relying):
    further_challenges: ClassVar = ['Basic realm="old"', "Negotiate"]


@pytest.fixture
def app(serve: Callable[..., ResourceServerApplication], io_loop: IOLoop) -> Iterator[ResourceServerApplication]:
    RAN.clear()
    kinds = (Inheriting, InheritingLast, Streaming, Denying, Failing, Defaults, Challenging, Socket)
    routes = [(f"/{kind.__name__}", kind) for kind in kinds]
    wrapped = [("/Wrapped", protected(Relying)), ("/Open", public(Relying)), (r"/path/(.*)", protected(Relying))]
    service = serve([*routes, *wrapped], cors_origins=[APP], xsrf_cookies=True)
    yield service
    io_loop.run_sync(service.close)


EACH_PATH = pytest.mark.parametrize("path", ["/Inheriting", "/InheritingLast", "/Wrapped", "/Streaming"])


@EACH_PATH
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.parametrize(
    ("token", "status", "error"),
    [
        (None, 401, "missing_token"),
        ("bad", 401, "invalid_token"),
        ("a b", 400, "invalid_request"),
        ("unknown", 503, "temporarily_unavailable"),
    ],
)
@pytest.mark.gen_test
async def test_a_rejection_runs_no_code_of_the_handler(
    path: str, method: str, token: str | None, status: int, error: str, call: Callable[..., Any]
) -> None:
    response = await call(path, token, method, Origin=APP)
    assert (status, "no-store", APP, "nosniff", "Authorization, Origin") == (
        response.code,
        *(
            response.headers[name]
            for name in ("Cache-Control", "Access-Control-Allow-Origin", "X-Content-Type-Options", "Vary")
        ),
    )
    assert ("WWW-Authenticate" in response.headers) == (status != 503)
    if method == "HEAD":
        assert b"" == response.body
    else:
        assert error == json.loads(response.body)["error"]
        assert "application/json; charset=UTF-8" == response.headers["Content-Type"]
    assert [] == RAN


@EACH_PATH
@pytest.mark.gen_test
async def test_a_handler_that_relies_on_its_prepare_works_with_a_token(path: str, call: Callable[..., Any]) -> None:
    assert {"session": "open"} == json.loads((await call(path, "good")).body)


@pytest.mark.gen_test
async def test_a_connection_is_kept_after_a_rejection(http_port: int, http_server: Any) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    for _ in range(3):
        writer.write(b"GET /Wrapped HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
        (length,) = [int(line.split()[1]) for line in head.splitlines() if line.lower().startswith(b"content-length")]
        await reader.readexactly(length)
    writer.close()


EARLY_ERRORS = {
    "a malformed body": ("/Wrapped", "POST", {"Content-Type": "multipart/form-data"}, 400),
    "an undecodable argument": ("/path/%ff", "GET", {}, 400),
    "a missing XSRF cookie": ("/Open", "POST", {}, 403),
    "an unknown method": ("/Open", "TRACE", {}, 405),
}


@pytest.mark.parametrize(("path", "method", "headers", "status"), EARLY_ERRORS.values(), ids=EARLY_ERRORS.keys())
@pytest.mark.gen_test
async def test_an_error_before_prepare_runs_no_code_of_the_handler(
    path: str, method: str, headers: dict[str, str], status: int, http_client: AsyncHTTPClient, base_url: str
) -> None:
    response = await http_client.fetch(
        base_url + path,
        method=method,
        headers=headers,
        body="a" if headers else None,
        allow_nonstandard_methods=True,
        raise_error=False,
    )
    assert (status, "no-store") == (response.code, response.headers["Cache-Control"])
    assert {"error", "error_description"} == json.loads(response.body).keys()
    assert [] == RAN


@pytest.mark.gen_test
async def test_a_preflight_runs_no_code_of_the_handler(call: Callable[..., Any]) -> None:
    preflight = {"Origin": APP, "Access-Control-Request-Method": "POST"}
    for path in ("/Wrapped", "/Open", "/Streaming"):
        response = await call(path, None, "OPTIONS", **preflight)
        assert (204, "GET, POST") == (response.code, response.headers["Access-Control-Allow-Methods"])
        assert {"Content-Type", "Content-Length", "Access-Control-Expose-Headers"}.isdisjoint(response.headers)
    assert [] == RAN


@pytest.mark.gen_test
async def test_what_authorize_sets_is_not_in_the_rejection(call: Callable[..., Any]) -> None:
    for _ in range(2):  # validated, then cached
        response = await call("/Denying", "lasting")
        assert (403, "insufficient_scope") == (response.code, json.loads(response.body)["error"])
        assert {"X-Secret", "Set-Cookie"}.isdisjoint(response.headers)
    assert [] == RAN


@pytest.mark.parametrize(
    ("status", "body"), [(304, b""), (204, b""), (402, b"invalid_request"), (502, b"server_error")]
)
@pytest.mark.gen_test
async def test_an_http_error_of_authorize_keeps_its_status(
    status: int, body: bytes, call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    response = await call(f"/Failing?status={status}", "lasting")
    assert (status, "Mine") == (response.code, response.reason)
    assert body in response.body
    assert (response.body == b"") is (status < 400)


@pytest.mark.gen_test
async def test_default_headers_of_the_handler_are_in_a_rejection(call: Callable[..., Any]) -> None:
    accepted, rejected = await call("/Defaults"), await call("/Defaults", "bad")
    assert ["set_default_headers"] * 2 == RAN  # when the handler was made
    assert (200, 401) == (accepted.code, rejected.code)
    for response in (accepted, rejected):
        assert "max-age=63072000" == response.headers["Strict-Transport-Security"]
        assert ["</a>", "</b>"] == response.headers.get_list("Link")
    assert "invalid_token" == json.loads(rejected.body)["error"]
    assert ("no-store", "application/json; charset=UTF-8") == (
        rejected.headers["Cache-Control"],
        rejected.headers["Content-Type"],
    )
    (challenge,) = rejected.headers.get_list("WWW-Authenticate")
    assert challenge.startswith("Bearer ")


@pytest.mark.gen_test
async def test_each_challenge_is_a_field_of_its_own(call: Callable[..., Any]) -> None:
    response = await call("/Challenging")
    assert ['Bearer realm="test"', 'Basic realm="old"', "Negotiate"] == response.headers.get_list("WWW-Authenticate")


@pytest.mark.gen_test
async def test_a_rejected_handshake_runs_no_code_of_the_handler(call: Callable[..., Any]) -> None:
    assert 401 == (await call("/Socket")).code
    assert 426 == (await call("/Socket", "good")).code
    assert [] == RAN


@pytest.mark.gen_test
async def test_a_rejected_upload_runs_no_code_of_the_handler(
    http_port: int, app: ResourceServerApplication, http_server: Any
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", http_port)
    writer.write(b"POST /Streaming HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nthe first bytes")
    assert (await reader.readline()).startswith(b"HTTP/1.1 401 ")
    writer.write(b"some more")
    writer.close()
    assert await app.finish_requests(within=5)
    assert [] == RAN


@pytest.mark.gen_test
async def test_rejections_are_logged_and_counted_with_their_status(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await call("/Wrapped")
    assert [("GET", "/Wrapped", 401)] == [
        (record.method, record.path, record.status)  # type: ignore[attr-defined]  # set by the access log
        for record in caplog.records
        if record.name == "service.access"
    ]


@pytest.mark.gen_test
async def test_a_request_log_that_fails_does_not_affect_the_rejection(
    call: Callable[..., Any],
    app: ResourceServerApplication,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def log_request(handler: Any) -> None:
        RAN.append(handler.session)

    monkeypatch.setattr(app, "log_request", log_request)
    assert 401 == (await call("/Wrapped")).code
    assert 401 == (await call("/Wrapped")).code
    assert ["the request log failed"] * 2 == [record.getMessage() for record in caplog.records]
