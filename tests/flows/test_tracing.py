"""The spans of requests, as an exporter receives them."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

import pytest
import tornado.web
import tornado.websocket
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import SecretStr
from tornado.httpclient import AsyncHTTPClient, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders
from tornado.netutil import bind_sockets

from fakeissuer import RunningIssuer
from service import BearerAuthMixin, Settings, add_request_fields, make_app, protect
from service.operations.processes.drain import serving
from service.operations.sockets.bound import bind
from service.web.endpoints.okta_guide import WhoAmI

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Orders(BearerAuthMixin, tornado.web.RequestHandler):
    scopes: ClassVar[dict[str, str]] = {"POST": "orders:write"}

    def get(self, number: str, line: str = "") -> None:
        with trace.get_tracer("shop").start_as_current_span("read order"):
            logging.getLogger("shop").info("reading")
            self.write({"number": number, "line": line})

    def post(self, number: str) -> None:
        raise RuntimeError(number)


class Socket(BearerAuthMixin, tornado.websocket.WebSocketHandler):
    public = True


@tornado.web.stream_request_body
class Upload(BearerAuthMixin, tornado.web.RequestHandler):
    public = True
    received: asyncio.Event

    def data_received(self, chunk: bytes) -> None:  # noqa: ARG002  # the signature of the base class
        self.received.set()

    def put(self) -> None:
        """Send nothing."""


ROUTES = [
    (r"/orders/(?P<number>\d+)", Orders),
    (r"/orders/(\d+)/lines/(\d+)", Orders),
    (r"/odd/(?P<number>\d+)/?", Orders),
    (r"/socket", Socket),
    (r"/upload", Upload),
    (r"/api/whoami", WhoAmI),
]


@pytest.fixture(scope="module")
def memory() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def exporter(memory: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    memory.clear()
    yield memory
    memory.clear()


@pytest.fixture
def settings(fake_issuer: RunningIssuer) -> Settings:
    return Settings(issuer=fake_issuer.issuer_url(), tracing=True)


async def _serving(settings: Settings) -> AsyncIterator[str]:
    async with serving(make_app(settings, routes=ROUTES), bind("127.0.0.1", 0)) as url:
        yield url


async def _call(url: str, token: str | None = None, **options: Any) -> HTTPResponse:
    headers = dict(options.pop("headers", {}))
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    return await AsyncHTTPClient().fetch(
        url, headers=headers, raise_error=False, allow_nonstandard_methods=True, **options
    )


def _server(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = (span for span in exporter.get_finished_spans() if span.kind is SpanKind.SERVER)
    return span


def _attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


@pytest.mark.gen_test
async def test_a_request_has_a_span_with_its_route_and_the_outcome_of_its_token(
    settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    async for url in _serving(settings):
        token = fake_issuer.token()
        response = await _call(f"{url}/orders/7?access_token={token}&page=2&{token}", token)
        assert 200 == response.code
        span = _server(exporter)
        assert ("GET /orders/{number}", StatusCode.UNSET) == (span.name, span.status.status_code)
        assert span.context is not None
        assert response.headers["X-Request-Id"] == trace.format_trace_id(span.context.trace_id)
        assert {
            "http.request.method": "GET",
            "http.response.status_code": 200,
            "http.route": "/orders/{number}",
            "url.path": "/orders/7",
            "url.query": "access_token=REDACTED&page=REDACTED&REDACTED=REDACTED",
            "url.scheme": "http",
            "server.address": "127.0.0.1",
            "client.address": "127.0.0.1",
            "network.protocol.version": "1.1",
            "resource_server.token.outcome": "accepted",
            "resource_server.token.issuer": fake_issuer.issuer_url(),
            "resource_server.token.validator": "JWTValidator",
        } == {name: value for name, value in _attributes(span).items() if name != "user_agent.original"}


@pytest.mark.gen_test
async def test_requests_to_the_issuer_are_children_and_carry_the_trace(
    settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    async for url in _serving(settings):
        await _call(f"{url}/api/whoami", fake_issuer.token())
        server = _server(exporter)
        assert server.context is not None
        clients = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]
        assert ["GET discovery", "GET key set"] == [span.name for span in clients]
        for span in clients:
            assert span.parent is not None
            assert (server.context.trace_id, server.context.span_id) == (span.parent.trace_id, span.parent.span_id)
            assert 200 == _attributes(span)["http.response.status_code"]
            assert str(_attributes(span)["url.full"]).startswith(fake_issuer.url)


class KeySet(tornado.web.RequestHandler):
    """A key set that notes the header fields of its requests."""

    sent: ClassVar[list[HTTPHeaders]] = []

    def initialize(self, document: str) -> None:
        self.document = document

    def get(self) -> None:
        self.sent.append(self.request.headers)
        self.write(self.document)


async def _serving_with_key_set(settings: Settings, issuer: RunningIssuer) -> AsyncIterator[str]:
    keys = await AsyncHTTPClient().fetch(f"{issuer.issuer_url()}/v1/keys")
    KeySet.sent.clear()
    (sock,) = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(tornado.web.Application([(r"/keys", KeySet, {"document": keys.body.decode()})]))
    server.add_socket(sock)
    own = Settings(
        issuer=issuer.issuer_url(),
        jwks_uri=f"http://127.0.0.1:{sock.getsockname()[1]}/keys",
        tracing=settings.tracing,
        trusted_proxies=settings.trusted_proxies,
    )
    async for url in _serving(own):
        yield url
    server.stop()
    await server.close_all_connections()


@pytest.mark.gen_test
async def test_introspection_is_a_child_and_a_failure_of_the_issuer_is_an_error(
    fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    settings = Settings(
        issuer=fake_issuer.issuer_url(), tracing=True, validation="introspection",
        client_id="0oaapi00000000000001", client_secret=SecretStr("api-secret-for-tests-only-00000000001"),
    )  # fmt: skip
    async for url in _serving(settings):
        assert 200 == (await _call(f"{url}/api/whoami", fake_issuer.token())).code
        names = [span.name for span in exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]
        assert ["GET discovery", "POST introspection"] == names
        exporter.clear()
        fake_issuer.fail("introspect", status=500)
        assert 503 == (await _call(f"{url}/api/whoami", fake_issuer.token())).code
        clients = [span for span in exporter.get_finished_spans() if span.kind is SpanKind.CLIENT]
        assert {("POST introspection", StatusCode.ERROR, "500")} == {
            (span.name, span.status.status_code, _attributes(span)["error.type"]) for span in clients
        }
        server = _server(exporter)
        assert StatusCode.ERROR is server.status.status_code
        assert ("unavailable", "issuer_unavailable", "503") == tuple(
            _attributes(server)[name]
            for name in ("resource_server.token.outcome", "resource_server.rejection.reason", "error.type")
        )


@pytest.mark.parametrize(
    ("request_line", "kind", "name", "outcome", "reason", "status"),
    [
        ("GET /orders/7", None, "GET /orders/{number}", None, "missing_token", 401),
        ("GET /orders/7", "expired", "GET /orders/{number}", "rejected", "expired", 401),
        ("POST /orders/7", "good", "POST /orders/{number}", "accepted", "insufficient_scope", 403),
        ("GET /orders/7/lines/8", "good", "GET /orders/{arg1}/lines/{arg2}", "accepted", None, 200),
        ("GET /odd/7", "good", r"GET /odd/(?P<number>\d+)/?", "accepted", None, 200),
        ("GET /nowhere/sesame", "good", "GET", None, None, 404),
        ("BREW /orders/7", "good", "HTTP /orders/{number}", None, None, 405),
    ],
)
@pytest.mark.gen_test
async def test_a_rejection_is_no_error_of_the_server(  # noqa: PLR0913, PLR0917  # one row of the table
    request_line: str,
    kind: str | None,
    name: str,
    outcome: str | None,
    reason: str | None,
    status: int,
    settings: Settings,
    fake_issuer: RunningIssuer,
    exporter: InMemorySpanExporter,
) -> None:
    tokens = {"good": fake_issuer.token(), "expired": fake_issuer.token(expires_in=-1000), None: None}
    method, _, path = request_line.partition(" ")
    async for url in _serving(settings):
        assert status == (await _call(url + path, tokens[kind], method=method)).code
        span = _server(exporter)
        assert (name, StatusCode.UNSET) == (span.name, span.status.status_code)
        attributes = _attributes(span)
        assert outcome == attributes.get("resource_server.token.outcome")
        assert reason == attributes.get("resource_server.rejection.reason")


@pytest.mark.gen_test
async def test_an_unhandled_exception_is_an_error_without_its_text(
    settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    async for url in _serving(settings):
        await _call(f"{url}/orders/7", fake_issuer.token(scp=["orders:write"]), method="POST", body="")
        span = _server(exporter)
        assert (StatusCode.ERROR, None, ()) == (span.status.status_code, span.status.description, span.events)


@pytest.mark.parametrize("proxies", [("127.0.0.1",), ()])
@pytest.mark.gen_test
async def test_a_trace_is_continued_for_a_trusted_proxy_only(
    proxies: tuple[str, ...], settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    settings = settings.model_copy(update={"trusted_proxies": proxies})
    async for url in _serving_with_key_set(settings, fake_issuer):
        headers = {"traceparent": PARENT, "tracestate": "vendor=1", "baggage": "user=alice"}
        await _call(f"{url}/api/whoami", fake_issuer.token(), headers=headers)
        span = _server(exporter)
        assert span.context is not None
        (sent,) = KeySet.sent
        assert trace.format_trace_id(span.context.trace_id) == sent["traceparent"].split("-")[1]
        assert "baggage" not in sent
        if proxies:
            assert span.parent is not None
            assert PARENT.split("-")[1:3] == [
                trace.format_trace_id(span.context.trace_id),
                trace.format_span_id(span.parent.span_id),
            ]
            assert "vendor=1" == sent["tracestate"]
        else:
            assert span.parent is None
            assert PARENT.split("-")[1] != trace.format_trace_id(span.context.trace_id)
            assert "tracestate" not in sent


@pytest.mark.gen_test
async def test_a_line_has_the_trace_and_the_innermost_span(
    settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.handler.addFilter(add_request_fields)
    async for url in _serving(settings):
        await _call(f"{url}/orders/7", fake_issuer.token())
        caplog.handler.removeFilter(add_request_fields)
        spans = {span.name: span for span in exporter.get_finished_spans()}
        inner, server = spans["read order"], spans["GET /orders/{number}"]
        assert server.context is not None
        assert inner.context is not None
        assert inner.parent is not None
        assert server.context.span_id == inner.parent.span_id
        expected = {"shop": inner.context, "service.access": server.context}
        for name, context in expected.items():
            (record,) = (record for record in caplog.records if record.name == name)
            assert (trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)) == (
                vars(record)["trace_id"],
                vars(record)["span_id"],
            )


@pytest.mark.gen_test
async def test_the_span_of_a_socket_ends_with_its_handshake(settings: Settings, exporter: InMemorySpanExporter) -> None:
    async for url in _serving(settings):
        socket = await tornado.websocket.websocket_connect(f"{url.replace('http', 'ws')}/socket")
        span = _server(exporter)
        assert ("GET /socket", 101) == (span.name, _attributes(span)["http.response.status_code"])
        socket.close()


@pytest.mark.gen_test
async def test_the_span_of_an_incomplete_upload_ends_with_its_connection(
    settings: Settings, exporter: InMemorySpanExporter
) -> None:
    Upload.received = asyncio.Event()
    async for url in _serving(settings):
        _, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(b"PUT /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        await asyncio.wait_for(Upload.received.wait(), 10)
        writer.close()
        while not exporter.get_finished_spans():  # noqa: ASYNC110  # an exporter has no event
            await asyncio.sleep(0.005)
        assert "client_disconnected" == _attributes(_server(exporter))["error.type"]


@pytest.mark.gen_test
async def test_an_application_of_its_own_is_traced(
    settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    service = protect(tornado.web.Application(ROUTES), settings)
    async with serving(service, bind("127.0.0.1", 0)) as url:
        assert 200 == (await _call(f"{url}/orders/7", fake_issuer.token())).code
        assert "GET /orders/{number}" == _server(exporter).name


@pytest.mark.gen_test
async def test_no_part_of_a_token_is_in_a_span(
    settings: Settings, fake_issuer: RunningIssuer, exporter: InMemorySpanExporter
) -> None:
    tokens = [fake_issuer.token(), *(bad["token"] for bad in fake_issuer.bad_tokens())]
    async for url in _serving(settings):
        for token in tokens:
            query = f"{token}&access_token={token}&{token}=x" if token.isascii() and token.isprintable() else ""
            headers = {"Authorization": f"Bearer {token}", "DPoP": token, "Cookie": f"a={token}"}
            try:
                await _call(f"{url}/api/whoami?{query.replace(' ', '')}", headers=headers)
            except ValueError:  # a token that no client can send
                continue
        parts = {part for token in tokens for part in token.split(".") if len(part) > 20}
        text = "".join(span.to_json() for span in exporter.get_finished_spans())
        assert len(exporter.get_finished_spans()) > len(tokens) / 2
        assert not [part for part in parts if part in text]


def test_nothing_of_opentelemetry_is_imported_if_tracing_is_off() -> None:
    code = (
        "import sys; from service import Settings, make_app; "
        "make_app(Settings(issuer='https://issuer.example', audience=('api',))); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout
