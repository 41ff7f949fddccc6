"""The ID of a request: on its response, on every line that is logged for it, and from trusted proxies only."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import tornado.web
import tornado.websocket
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, Settings, add_request_fields, make_app, protect, request_id
from service.operations.processes.drain import serving
from service.operations.sockets.bound import bind

MADE = re.compile(r"[0-9a-f]{32}")
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = "0af7651916cd43dd8448eb211c80319c"
_logger = logging.getLogger("handlers")


class Logging(BearerAuthMixin, tornado.web.RequestHandler):
    """Logs in its own task, in one that it starts, in a thread and in callbacks."""

    def prepare(self) -> None:
        _logger.info("prepare")

    async def get(self) -> None:
        _logger.info("get")
        await asyncio.create_task(self._log_in_task())
        await asyncio.to_thread(_logger.info, "thread")
        self.write({"id": request_id()})

    async def _log_in_task(self) -> None:
        await asyncio.sleep(0)
        _logger.info("task")

    def on_finish(self) -> None:
        _logger.info("finish")


@tornado.web.stream_request_body
class Upload(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    async def data_received(self, chunk: bytes) -> None:  # noqa: ARG002  # the signature of the base class
        await asyncio.sleep(0)
        _logger.info("chunk")

    def put(self) -> None:
        self.write({"id": request_id()})


class Waiting(BearerAuthMixin, tornado.web.RequestHandler):
    public = True
    events: asyncio.Queue[str]
    gone: asyncio.Event

    async def get(self) -> None:
        self.events.put_nowait(str(request_id()))
        await self.gone.wait()

    def on_connection_close(self) -> None:
        _logger.info("closed")
        self.events.put_nowait("closed")
        self.gone.set()


class Socket(BearerAuthMixin, tornado.websocket.WebSocketHandler):
    public = True

    def on_message(self, message: str | bytes) -> None:  # noqa: ARG002  # the signature of the base class
        _logger.info("message")
        self.write_message(str(request_id()))


class Failing(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self) -> None:
        raise RuntimeError("broken")


class Own(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    def get(self) -> None:
        self.set_header("X-Request-Id", "of-the-handler")


ROUTES = [
    (r"/logging", Logging),
    (r"/upload", Upload),
    (r"/waiting", Waiting),
    (r"/socket", Socket),
    (r"/failing", Failing),
    (r"/own", Own),
]


class Lines(logging.Handler):
    """Collects the records of the service and of the handlers, as a program of the user would."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(add_request_fields)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, identifier: str) -> list[str]:
        return [record.getMessage() for record in self.records if vars(record).get("request_id") == identifier]


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


Serve = Callable[..., Any]


@pytest.fixture
def settings(fake_issuer: RunningIssuer) -> Settings:
    return Settings(issuer=fake_issuer.issuer_url())


async def _serving(settings: Settings) -> AsyncIterator[str]:
    async with serving(make_app(settings, routes=ROUTES), bind("127.0.0.1", 0)) as url:
        yield url


async def _get(url: str, path: str = "/own", **options: Any) -> HTTPResponse:
    return await AsyncHTTPClient().fetch(f"{url}{path}", raise_error=False, **options)


@pytest.mark.gen_test
async def test_every_line_of_a_request_has_the_id_of_its_response(
    settings: Settings, lines: Lines, fake_issuer: RunningIssuer
) -> None:
    async for url in _serving(settings):
        response = await _get(url, "/logging", headers={"Authorization": f"Bearer {fake_issuer.token()}"})
        identifier = response.headers["X-Request-Id"]
        assert MADE.fullmatch(identifier)
        assert identifier in response.body.decode()
        messages = lines.of(identifier)
        assert {"prepare", "get", "task", "thread", "finish"} <= set(messages)
        assert [line for line in messages if line.startswith("GET /logging 200")]
        assert 2 == messages.count("request to issuer"), messages  # discovery and the key set, for this request


@pytest.mark.gen_test
async def test_two_requests_of_one_connection_have_two_ids(settings: Settings, lines: Lines) -> None:
    async for url in _serving(settings):
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        found = []
        for _ in range(2):
            writer.write(b"GET /failing HTTP/1.1\r\nHost: a\r\n\r\n")
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            await reader.readexactly(int(re.search(r"Content-Length: (\d+)", head)[1]))  # type: ignore[index]  # there
            found.append(re.search(r"X-Request-Id: (\w+)", head)[1])  # type: ignore[index]  # as above
        writer.close()
        assert 2 == len(set(found))
        for identifier in found:
            messages = lines.of(identifier)
            assert 1 == sum("unhandled exception" in line for line in messages)
            assert 1 == sum(line.startswith("GET /failing 500") for line in messages)


@pytest.mark.parametrize(
    ("path", "options", "status"),
    [
        ("/logging", {}, 401),
        ("/nowhere", {}, 404),
        ("/own", {"method": "POST", "body": ""}, 405),
        ("/failing", {}, 500),
        ("/healthz", {}, 200),
        ("/.well-known/oauth-protected-resource", {}, 200),
        ("/logging", {"headers": {"Authorization": "Bearer a b"}}, 400),
        ("/own", {"method": "OPTIONS", "headers": {"Origin": "a", "Access-Control-Request-Method": "GET"}}, 204),
    ],
)
@pytest.mark.gen_test
async def test_every_response_has_an_id(path: str, options: dict[str, Any], status: int, settings: Settings) -> None:
    async for url in _serving(settings):
        response = await _get(url, path, **options)
        assert status == response.code
        assert [True] == [bool(MADE.fullmatch(value)) for value in response.headers.get_list("X-Request-Id")]


@pytest.mark.gen_test
async def test_an_id_that_a_handler_sets_is_kept(settings: Settings) -> None:
    async for url in _serving(settings):
        assert ["of-the-handler"] == (await _get(url)).headers.get_list("X-Request-Id")


@pytest.mark.gen_test
async def test_pages_of_other_origins_can_read_the_id(settings: Settings) -> None:
    async for url in _serving(settings.model_copy(update={"cors_origins": ("https://a.example",)})):
        response = await _get(url, headers={"Origin": "https://a.example"})
        assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]


@pytest.mark.gen_test
async def test_a_chunk_of_a_streamed_body_is_logged_for_its_request(settings: Settings, lines: Lines) -> None:
    async for url in _serving(settings):
        response = await _get(url, "/upload", method="PUT", body="x" * 1000)
        assert "chunk" in lines.of(response.headers["X-Request-Id"])


@pytest.mark.gen_test
async def test_a_disconnect_is_logged_for_its_request(settings: Settings, lines: Lines) -> None:
    Waiting.events, Waiting.gone = asyncio.Queue(), asyncio.Event()
    async for url in _serving(settings):
        _, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(b"GET /waiting HTTP/1.1\r\nHost: a\r\n\r\n")
        identifier = await asyncio.wait_for(Waiting.events.get(), 10)
        writer.close()
        assert "closed" == await asyncio.wait_for(Waiting.events.get(), 10)
        assert "closed" == lines.of(identifier)[0]


@pytest.mark.gen_test
async def test_the_messages_of_a_socket_have_the_id_of_its_handshake(settings: Settings, lines: Lines) -> None:
    async for url in _serving(settings):
        socket = await tornado.websocket.websocket_connect(f"{url.replace('http', 'ws')}/socket")
        await socket.write_message("hello")
        identifier = await socket.read_message()
        assert isinstance(identifier, str)
        assert socket.headers is not None
        assert socket.headers["X-Request-Id"] == identifier
        assert "message" in lines.of(identifier)
        socket.close()


@pytest.mark.gen_test
async def test_an_application_that_logs_its_requests_itself_has_the_ids(settings: Settings, lines: Lines) -> None:
    application = tornado.web.Application(ROUTES)
    service = protect(application, settings)
    async with serving(service, bind("127.0.0.1", 0)) as url:
        response = await _get(url, "/failing")
        messages = lines.of(response.headers["X-Request-Id"])
        assert [line for line in messages if line.startswith("500 GET /failing")]


@pytest.mark.parametrize(
    ("headers", "identifier", "trace"),
    [
        ({"X-Request-Id": "ab-12_C.d:e/f+g=h@i~"}, "ab-12_C.d:e/f+g=h@i~", None),
        ({"X-Request-Id": "abc", "traceparent": PARENT}, "abc", TRACE),
        ({"traceparent": PARENT}, TRACE, TRACE),
        ({"traceparent": "cc" + PARENT[2:] + "-what-the-future-will-bring"}, TRACE, TRACE),
        ({"X-Request-Id": "a b"}, None, None),
        ({"X-Request-Id": "a" * 129}, None, None),
        ({"X-Request-Id": "a\x85b"}, None, None),
        ({"X-Request-Id": "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0xxx.c2lnbmF0dXJl"}, None, None),
        ({"traceparent": PARENT.upper()}, None, None),
        ({"traceparent": PARENT + "-x"}, None, None),
        ({"traceparent": "ff" + PARENT[2:]}, None, None),
        ({"traceparent": f"00-{'0' * 32}-b7ad6b7169203331-01"}, None, None),
        ({"traceparent": f"00-{TRACE}-{'0' * 16}-01"}, None, None),
        ({}, None, None),
    ],
)
@pytest.mark.gen_test
async def test_the_ids_of_a_trusted_proxy_are_accepted_if_they_are_well_formed(
    headers: dict[str, str], identifier: str | None, trace: str | None, settings: Settings, lines: Lines
) -> None:
    async for url in _serving(settings.model_copy(update={"trusted_proxies": ("127.0.0.1",)})):
        found = (await _get(url, "/failing", headers=headers)).headers["X-Request-Id"]
        assert found == identifier if identifier is not None else MADE.fullmatch(found)
        (record, *_) = (record for record in lines.records if vars(record).get("request_id") == found)
        assert trace == vars(record).get("trace_id")


@pytest.mark.parametrize("proxies", [(), ("10.0.0.7",)])
@pytest.mark.gen_test
async def test_the_ids_of_any_other_client_are_ignored(
    proxies: tuple[str, ...], settings: Settings, lines: Lines
) -> None:
    async for url in _serving(settings.model_copy(update={"trusted_proxies": proxies})):
        response = await _get(url, "/failing", headers={"X-Request-Id": "forged", "traceparent": PARENT})
        assert MADE.fullmatch(response.headers["X-Request-Id"])
        assert not [record for record in lines.records if {"forged", TRACE} & {str(v) for v in vars(record).values()}]


@pytest.mark.gen_test
async def test_two_ids_of_a_proxy_are_ignored(settings: Settings) -> None:
    async for url in _serving(settings.model_copy(update={"trusted_proxies": ("127.0.0.1",)})):
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        twice = f"X-Request-Id: a\r\nX-Request-Id: b\r\ntraceparent: {PARENT}\r\ntraceparent: {PARENT}\r\n"
        writer.write(f"GET /own HTTP/1.1\r\nHost: a\r\n{twice}\r\n".replace("/own", "/healthz").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert MADE.fullmatch(re.search(r"X-Request-Id: (\S+)", head)[1])  # type: ignore[index]  # it is there
        writer.close()


@pytest.mark.parametrize("setting", [{}, {"log_principal": True}])
@pytest.mark.gen_test
async def test_the_access_log_names_the_principal_if_the_setting_is_on(
    setting: dict[str, bool], settings: Settings, lines: Lines, fake_issuer: RunningIssuer
) -> None:
    is_on = bool(setting)
    token = fake_issuer.token(sub="alice@example.com")
    async for url in _serving(settings.model_copy(update=setting)):
        await _get(url, "/logging", headers={"Authorization": f"Bearer {token}"})
        await _get(url, "/logging")
        accepted, rejected = [vars(record) for record in lines.records if record.name == "service.access"]
        assert is_on == ("alice@example.com" == accepted.get("subject"))
        assert is_on == ("client_id" in accepted)
        assert "subject" not in rejected


@pytest.mark.gen_test
async def test_a_successful_health_check_is_logged_at_debug(settings: Settings, lines: Lines) -> None:
    async for url in _serving(settings.model_copy(update={"issuer": "https://issuer.invalid"})):
        await _get(url, "/healthz")
        await _get(url, "/readyz")
        levels = [record.levelname for record in lines.records if record.name == "service.access"]
        assert ["DEBUG"] == levels[:1]
