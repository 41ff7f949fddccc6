"""Forward authentication in each real proxy, with the files in ``deploy``: what reaches an application."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import logging
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import proxies
import pytest
import tornado.web
from proxies import RunningProxy
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

from fakeissuer import DPoPClient, RunningIssuer
from service import LimitedHTTPServer, ResourceServerApplication, Settings, make_app
from service.web.connections.trusted_proxies import TrustedProxies

CLIENT = "127.0.0.2"
"""Another address than that of the proxy, which connects from 127.0.0.1."""
ORIGIN = "https://app.example"
FIELDS = ("x-auth-subject", "x-auth-client-id", "x-auth-scopes")
IDENTITY = [("x-auth-client-id", "0oa1"), ("x-auth-scopes", "email"), ("x-auth-subject", "zo%C3%AB")]

SPELLINGS = [
    "X-Auth-Subject",
    "x-auth-subject",
    "X-AUTH-SCOPES",
    "X-Auth-Client-Id",
    "X_Auth_Subject",
    "x_auth_subject",
    "X_AUTH_SCOPES",
    "X-Auth_Client-Id",
    "X-Auth-Client_Id",
    "X.Auth.Subject",
    "x.auth-scopes",
    "X~Auth-Scopes",
    "X!Auth!Subject",
    "X-Auth-Subject ",
]
AMBIGUOUS = [
    "//reports/1",
    "/x/../reports/1",
    "/./reports/1",
    "/x/%2e%2e/reports/1",
    "/x/.%2E/reports/1",
    "/%72eports/1",
    "/%2Freports/1",
    "/x%2F..%2Freports/1",
    "/x%5C..%5Creports/1",
    "/x\\..\\reports/1",
    "/x/..;/reports/1",
    "/;/reports/1",
    "/x;a=b/reports/1",
    "/x#/../reports/1",
    "/x%23/../reports/1",
    "/x%3F/../reports/1",
    "/%2572eports/1",
    "/%00/reports/1",
    "/reports%00/../x",
    "/x%0d%0areports",
    "/%C0%AFreports/1",
    "/%",
    "/x/%zz",
    "/x/..",
    "/caf\xe9",
]
STATUSES = [204, 302, 400, 404, 418, 500, 502, 503]


class Application(tornado.web.RequestHandler):
    """Reads the headers of its proxy but no tokens, and keeps its requests."""

    SUPPORTED_METHODS = (*tornado.web.RequestHandler.SUPPORTED_METHODS, "PROPFIND")
    received: ClassVar[list[tuple[str, str]]] = []

    def prepare(self) -> None:
        request = self.request
        self.received.append((request.method or "", request.uri or ""))
        TrustedProxies(["127.0.0.1"]).read(request)
        fields = sorted((_folded(name), value) for name, value in request.headers.get_all())
        identity = [pair for pair in fields if pair[0] in FIELDS]
        seen = {"method": request.method, "uri": request.uri, "body": len(request.body), "identity": identity}
        self.finish(seen | {"client": [request.remote_ip, request.protocol, request.host]})


class Echo(WebSocketHandler):
    """Returns each message, and the identity that the handshake had."""

    open_sockets: ClassVar[set[WebSocketHandler]] = set()

    def open(self, *_: str) -> None:
        self.open_sockets.add(self)

    def on_close(self) -> None:
        self.open_sockets.discard(self)

    def on_message(self, message: str | bytes) -> None:
        self.write_message(f"{self.request.headers.get('X-Auth-Subject')}: {message!s}")


class Stub(tornado.web.RequestHandler):
    """A gate that sends one status, and nothing of what a gate reports."""

    def initialize(self, status: int) -> None:
        self._status = status

    def get(self) -> None:
        self.set_status(self._status)
        if self._status == 302:
            self.set_header("Location", "/reports/1")

    head = get
    post = get


def _folded(name: str) -> str:
    """Return the name of a header as CGI and WSGI programs read it."""
    return re.sub("[^a-z0-9]", "-", name.lower())


class _Bytes(io.BytesIO):
    def makefile(self, *_: object) -> io.BytesIO:
        return self


@dataclass(frozen=True, kw_only=True)
class Received:
    """What a client has received."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, kw_only=True)
class Behind:
    """A proxy, an application that reads no tokens behind it, and the service beside it."""

    proxy: RunningProxy
    issuer: RunningIssuer
    opened: list[Any] = field(default_factory=list)

    def serve(self, **settings: Any) -> None:
        """Serve ``/auth`` as the files in ``deploy`` expect it."""
        values = Settings(
            issuer=self.issuer.issuer_url(),
            forward_auth=True,
            forward_auth_gates=("any=", "reports=reports:read"),
            trusted_proxies=("127.0.0.1",),
            cors_origins=(ORIGIN,),
            **settings,
        )
        service = make_app(values)
        self._listen(LimitedHTTPServer(service, limits=values), self.proxy.service, service)

    def serve_stub(self, status: int) -> None:
        """Serve a gate that always sends a status."""
        application = tornado.web.Application([(r"/auth.*", Stub, {"status": status})])
        self._listen(HTTPServer(application), self.proxy.service)

    def serve_application(self) -> None:
        routes = [(r".*/socket", Echo), (r".*", Application)]
        self._listen(HTTPServer(tornado.web.Application(routes)), self.proxy.application)

    def _listen(self, server: HTTPServer, port: int, service: ResourceServerApplication | None = None) -> None:
        server.listen(port, "127.0.0.1")
        self.opened.append((server, service))

    async def stop_service(self) -> None:
        server, service = self.opened.pop()
        server.stop()
        await server.close_all_connections()
        if service is not None:
            await service.close()

    async def stop(self) -> None:
        while self.opened:
            await self.stop_service()
        async with asyncio.timeout(20):
            while Echo.open_sockets:  # noqa: ASYNC110  # Tornado closes them in callbacks of its own
                await asyncio.sleep(0.001)

    def bearer(self, scope: str = "email", **claims: Any) -> str:
        return f"Authorization: Bearer {self.issuer.token(sub='zoë', cid='0oa1', scp=scope, **claims)}"

    async def send(
        self, method: str = "GET", target: str = "/orders/1", *fields: str, body: bytes = b"", host: str = "app.example"
    ) -> Received:
        """Send these bytes, and return the response."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.proxy.port, local_addr=(CLIENT, 0))
        lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *fields]
        if not any(line.lower().startswith("connection:") for line in fields):
            lines.append("Connection: close")
        if body and not any(line.lower().startswith("transfer-encoding:") for line in fields):
            lines.append(f"Content-Length: {len(body)}")
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        response = http.client.HTTPResponse(cast("Any", _Bytes(await _read_response(reader, method))), method=method)
        response.begin()
        writer.close()
        return Received(status=response.status, headers=response.headers, body=response.read())


async def _read_response(reader: asyncio.StreamReader, method: str) -> bytes:
    """Read one response; a connection that ``Connection`` of the client keeps open does not end."""
    async with asyncio.timeout(20):
        head = await reader.readuntil(b"\r\n\r\n")
        while head.split(b" ")[1] == b"100":
            head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        if method == "HEAD" or head.split(b" ")[1] in {b"204", b"304"}:
            return head
        return head + (await reader.readexactly(int(length[1])) if length else await reader.read())


@pytest.fixture(scope="module", params=list(proxies.PROGRAMS))
def running_proxy(request: pytest.FixtureRequest) -> Iterator[RunningProxy]:
    with proxies.running(request.param) as proxy:
        yield proxy


@pytest.fixture
def behind(running_proxy: RunningProxy, fake_issuer: RunningIssuer, io_loop: IOLoop) -> Iterator[Behind]:
    """Return a proxy before an application, which has received nothing yet; the service is not served yet."""
    Application.received.clear()
    behind = Behind(proxy=running_proxy, issuer=fake_issuer)
    behind.serve_application()
    yield behind
    io_loop.run_sync(behind.stop)


@pytest.mark.gen_test
async def test_a_request_with_a_token_reaches_the_application_with_its_identity(behind: Behind) -> None:
    behind.serve()
    for method in ("GET", "DELETE", "PROPFIND", "OPTIONS"):
        response = await behind.send(method, "/orders/caf%C3%A9?a=%2F..&b//c", behind.bearer())
        assert 200 == response.status
        seen = response.json()
        assert (method, "/orders/caf%C3%A9?a=%2F..&b//c") == (seen["method"], seen["uri"])
        assert [list(pair) for pair in IDENTITY] == seen["identity"]
    head = await behind.send("HEAD", "/orders/1", behind.bearer())
    assert (200, b"", ("HEAD", "/orders/1")) == (head.status, head.body, Application.received[-1])


@pytest.mark.parametrize(
    ("authorization", "status", "error"),
    [
        (None, 401, "missing_token"),
        ("Bearer a.b.c", 401, "invalid_token"),
        ("Bearer a b", 400, "invalid_request"),
    ],
)
@pytest.mark.gen_test
async def test_a_rejection_reaches_the_client_as_the_service_sends_it(
    authorization: str | None, status: int, error: str, behind: Behind
) -> None:
    behind.serve()
    fields = [f"Authorization: {authorization}"] if authorization else []
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PROPFIND"):
        body = b"a report" if method == "POST" else b""
        response = await behind.send(method, "/orders/1", *fields, body=body)
        assert (status, "no-store") == (response.status, response.headers["Cache-Control"])
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="api"')
        if method != "HEAD":
            assert "application/json" == response.headers.get_content_type()
            assert error == response.json()["error"]
    assert [] == Application.received


@pytest.mark.gen_test
async def test_a_route_requires_the_scope_of_its_gate(behind: Behind) -> None:
    behind.serve()
    for target in ("/reports", "/reports/1", "/reports/1?scope=email", "/reports?gate=any"):
        rejected = await behind.send("GET", target, behind.bearer("email"))
        assert (403, "insufficient_scope") == (rejected.status, rejected.json()["error"])
        assert 'scope="reports:read"' in rejected.headers["WWW-Authenticate"]
    assert [] == Application.received
    assert 200 == (await behind.send("GET", "/reports/1?scope=other", behind.bearer("reports:read"))).status
    assert 200 == (await behind.send("GET", "/orders/1?scope=reports:read", behind.bearer("email"))).status


@pytest.mark.gen_test
async def test_a_client_forges_an_identity_header_in_no_spelling(behind: Behind) -> None:
    behind.serve()
    forgeries = [[f"{spelling}: root"] for spelling in SPELLINGS]
    forgeries += [["X-Auth-Subject: root", "X-Auth-Subject: admin"], ["X-Auth-Subject: -"], ["X-Auth-Subject:"]]
    forgeries += [["Connection: close, X-Auth-Subject"], ["Connection: x-auth-scopes, close", "X_Auth_Scopes: all"]]
    forgeries += [["X-Auth-Subject: a\r\n b"]]
    passed = 0
    for forged in forgeries:
        for authorization in (behind.bearer(), "X-Nothing: 1"):
            response = await behind.send("GET", "/orders/1", authorization, *forged)
            if response.status == 200:
                assert [list(pair) for pair in IDENTITY] == response.json()["identity"], forged
                passed += 1
            else:
                assert response.status in {400, 401}, forged
    assert passed == len(Application.received)
    assert passed >= 4


@pytest.mark.gen_test
async def test_an_ambiguous_path_does_not_reach_the_application(behind: Behind) -> None:
    behind.serve()
    for target in AMBIGUOUS:
        response = await behind.send("GET", target, behind.bearer())
        assert response.status in {400, 403, 404}, target
    assert [] == Application.received


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.gen_test
async def test_a_body_reaches_the_application_whole(chunked: bool, behind: Behind) -> None:  # noqa: FBT001
    behind.serve()
    size = 300_000
    body = b"x" * size
    fields = [behind.bearer()]
    if chunked:
        fields.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (size, body)
    response = await behind.send("POST", "/orders", *fields, body=body)
    assert (200, size, "POST") == (response.status, response.json()["body"], response.json()["method"])


@pytest.mark.gen_test
async def test_a_body_that_waits_for_100_reaches_the_application(behind: Behind) -> None:
    behind.serve()
    response = await behind.send("POST", "/orders", behind.bearer(), "Expect: 100-continue", body=b"x" * 2000)
    assert (200, 2000) == (response.status, response.json()["body"])


@pytest.mark.gen_test
async def test_a_trailer_is_no_identity_header(behind: Behind) -> None:
    behind.serve()
    body = b"1\r\na\r\n0\r\nX-Auth-Subject: root\r\nX_Auth_Subject: root\r\n\r\n"
    fields = [behind.bearer(), "Transfer-Encoding: chunked", "Trailer: X-Auth-Subject"]
    response = await behind.send("POST", "/orders", *fields, body=body)
    if response.status == 200:
        assert [list(pair) for pair in IDENTITY] == response.json()["identity"]
    else:
        assert response.status >= 400


@pytest.mark.gen_test
async def test_each_request_of_a_connection_is_authenticated(behind: Behind) -> None:
    behind.serve()
    reader, writer = await asyncio.open_connection("127.0.0.1", behind.proxy.port)
    statuses = []
    for authorization in (behind.bearer(), "X-Nothing: 1", behind.bearer(), "Authorization: Bearer a.b.c"):
        writer.write(f"GET /orders/1 HTTP/1.1\r\nHost: app.example\r\n{authorization}\r\n\r\n".encode())
        statuses.append(int((await _read_response(reader, "GET")).split(b" ")[1]))
    writer.close()
    assert [200, 401, 200, 401] == statuses
    assert 2 == len(Application.received)


@pytest.mark.gen_test
async def test_a_nonce_reaches_the_client(behind: Behind, dpop_client: DPoPClient) -> None:
    behind.serve(dpop_nonce=True)
    bound = behind.issuer.token(dpop_jkt=dpop_client.thumbprint)

    async def send() -> Received:
        headers = dpop_client.headers("GET", "http://app.example/orders", bound)
        return await behind.send("GET", "/orders", *(f"{name}: {value}" for name, value in headers.items()))

    first = await send()
    assert (401, "use_dpop_nonce") == (first.status, first.json()["error"])
    dpop_client.remember_nonce("http://app.example/orders", first.headers["DPoP-Nonce"])
    assert 200 == (await send()).status


@pytest.mark.gen_test
async def test_a_proof_is_for_the_original_method_and_url(behind: Behind, dpop_client: DPoPClient) -> None:
    behind.serve()
    bound = behind.issuer.token(sub="zoë", dpop_jkt=dpop_client.thumbprint)
    orders = "http://app.example/orders/7"

    async def status(method: str, url: str, *fields: str) -> int:
        proof = dpop_client.headers(method, url, bound)
        sent = [f"{name}: {value}" for name, value in proof.items()]
        return (await behind.send("DELETE", "/orders/7?all=1", *sent, *fields)).status

    assert 200 == await status("DELETE", orders)
    assert 401 == await status("GET", orders)
    assert 401 == await status("DELETE", "http://app.example/auth/any")
    for forged in (
        ["X-Forwarded-Method: DELETE", "X-Forwarded-Uri: /other"],
        ["X-Original-Method: DELETE", "X-Original-URI: /other"],
        ["x-forwarded-uri: /other"],
        ["X-Original-URI: /other", "X-Original-URI: /orders/7"],
        ["X-Forwarded-Host: evil.example"],
        ["Forwarded: host=evil.example;proto=https"],
    ):
        for url in ("http://app.example/other", "http://evil.example/orders/7", "https://evil.example/orders/7"):
            assert await status("DELETE", url, *forged) in {400, 401}, forged
    assert 1 == len(Application.received)


@pytest.mark.gen_test
async def test_the_proxy_responds_to_preflights_of_allowed_origins_only(behind: Behind) -> None:
    behind.serve()
    asked = ["Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: authorization"]
    allowed = await behind.send("OPTIONS", "/reports/1", f"Origin: {ORIGIN}", *asked)
    assert (allowed.status in {200, 204}, ORIGIN) == (True, allowed.headers["Access-Control-Allow-Origin"])
    assert "PUT" in allowed.headers["Access-Control-Allow-Methods"]
    assert "authorization" in allowed.headers["Access-Control-Allow-Headers"].lower()
    other = await behind.send("OPTIONS", "/reports/1", "Origin: https://evil.example", *asked)
    assert other.headers["Access-Control-Allow-Origin"] is None
    for fields in ([f"Origin: {ORIGIN}"], asked):
        assert 401 == (await behind.send("OPTIONS", "/reports/1", *fields)).status
    rejected = await behind.send("GET", "/orders/1", f"Origin: {ORIGIN}")
    assert (401, [ORIGIN]) == (rejected.status, rejected.headers.get_all("Access-Control-Allow-Origin"))
    assert [] == Application.received


@pytest.fixture
def open_behind(behind: Behind, io_loop: IOLoop) -> Iterator[Callable[..., Awaitable[WebSocketClientConnection]]]:
    """Return a function that opens a WebSocket through the proxy."""
    opened: list[WebSocketClientConnection] = []

    async def opening(target: str, **headers: str) -> WebSocketClientConnection:
        url = f"ws://127.0.0.1:{behind.proxy.port}{target}"
        opened.append(await websocket_connect(HTTPRequest(url, headers=headers)))
        return opened[-1]

    yield opening
    for connection in opened:
        connection.close()


@pytest.mark.gen_test
async def test_a_websocket_is_authenticated_when_it_opens_and_never_again(
    behind: Behind, open_behind: Callable[..., Awaitable[WebSocketClientConnection]]
) -> None:
    behind.serve()
    for target, authorization, status in (("/socket", "", 401), ("/reports/socket", behind.bearer(), 403)):
        name, _, value = authorization.partition(": ")
        with pytest.raises(HTTPClientError) as error:
            await open_behind(target, **({name: value} if name else {}), **{"X-Auth-Subject": "root"})
        assert status == error.value.code
    value = behind.bearer().partition(": ")[2]
    connection = await open_behind("/socket", Authorization=value, **{"X-Auth-Subject": "root"})
    await connection.write_message("a")
    assert "zo%C3%AB: a" == await connection.read_message()
    behind.issuer.clock.advance(10 * 24 * 3600)
    await behind.stop_service()
    await connection.write_message("b")
    assert "zo%C3%AB: b" == await connection.read_message()


@pytest.mark.gen_test
async def test_an_unavailable_issuer_is_503_at_the_client(behind: Behind) -> None:
    authorization = behind.bearer()
    behind.issuer.fail("discovery", status=500)
    behind.serve()
    for method in ("GET", "POST"):
        response = await behind.send(method, "/orders", authorization, body=b"a" if method == "POST" else b"")
        assert 503 == response.status
        if behind.proxy.name != "envoy":  # it discards the rest
            assert "temporarily_unavailable" == response.json()["error"]
            assert int(response.headers["Retry-After"]) >= 1
        assert response.headers["WWW-Authenticate"] is None
    assert [] == Application.received


@pytest.mark.gen_test
async def test_a_service_that_is_not_there_lets_no_request_through(behind: Behind) -> None:
    response = await behind.send("GET", "/orders/1", behind.bearer(), "X-Auth-Subject: root")
    assert response.status >= 500
    assert [] == Application.received


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.gen_test
async def test_a_request_is_forwarded_for_a_2xx_only(status: int, behind: Behind) -> None:
    behind.serve_stub(status)
    response = await behind.send("GET", "/orders/1", "X-Auth-Subject: root")
    if status == 204 and response.status == 200:
        assert ["root"] not in [value for _, value in response.json()["identity"]]
    else:
        assert response.status >= 300 or (status == 204 and behind.proxy.name == "envoy")
        assert [] == Application.received


@pytest.mark.gen_test
async def test_a_gate_without_identity_does_not_leave_that_of_the_client(behind: Behind) -> None:
    behind.serve_stub(200)
    response = await behind.send("GET", "/orders/1", "X-Auth-Subject: root", "X-Auth-Scopes: all")
    if response.status == 200:
        assert {""} >= {value for _, value in response.json()["identity"]}
    else:
        assert response.status >= 500
        assert [] == Application.received


@pytest.mark.parametrize(
    ("name", "line"),
    [("apache", 'headers["host"] = r.hostname'), ("haproxy", 'local host = txn.f:req_hdr("host")')],
)
@pytest.mark.gen_test
async def test_a_script_that_fails_lets_no_request_through(name: str, line: str, fake_issuer: RunningIssuer) -> None:
    Application.received.clear()
    with proxies.running(name, changes={line: f'error("failed") {line}'}) as proxy:
        behind = Behind(proxy=proxy, issuer=fake_issuer)
        behind.serve_application()
        behind.serve()
        response = await behind.send("GET", "/orders/1", behind.bearer(), "X-Auth-Subject: root")
        assert (500, []) == (response.status, Application.received)
        await behind.stop()


FORGED_ADDRESSES = [
    [],
    ["X-Forwarded-For: 9.9.9.9"],
    ["X-Forwarded-For: 9.9.9.9, 127.0.0.1"],
    ["X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 127.0.0.1"],
    ["Forwarded: for=9.9.9.9"],
    ['Forwarded: for="9.9.9.9', "X-Real-IP: 9.9.9.9"],
    ["X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example"],
    ["x-forwarded-host: evil.example", "Forwarded: host=evil.example;proto=https"],
    ["X_Forwarded_Host: evil.example", "X.Forwarded.Proto: https"],
    ["Connection: close, X-Forwarded-For"],
    ["Connection: close, X-Forwarded-Host, X-Forwarded-Proto"],
    ["Connection: X-Forwarded-Uri, X-Forwarded-Method, X-Forwarded-Host, Authorization, close"],
]


@pytest.mark.gen_test
async def test_the_address_of_the_client_reaches_the_service_and_the_application(
    behind: Behind, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.access")
    behind.serve()
    for forged in FORGED_ADDRESSES:
        response = await behind.send("GET", "/orders/1", behind.bearer(), *forged)
        if response.status == 200:
            assert [CLIENT, "http", "app.example"] == response.json()["client"], forged
        else:  # some proxies remove the fields that Connection names before they send the subrequest
            assert response.status in {400, 401}
            assert forged[0].startswith(("Connection:", "X_"))
    records = [vars(record) for record in caplog.records if record.name == "service.access"]
    assert {CLIENT} == {record["remote_ip"] for record in records}


@pytest.mark.gen_test
async def test_the_same_host_reaches_the_service_and_the_application(behind: Behind, dpop_client: DPoPClient) -> None:
    behind.serve()
    bound = behind.issuer.token(dpop_jkt=dpop_client.thumbprint)
    for target, host in (
        ("http://app.example/orders", "evil.example"),
        ("http://evil.example/orders", "app.example"),
        ("/orders", "evil.example"),
    ):
        proof = dpop_client.headers("GET", "http://app.example/orders", bound)
        response = await behind.send("GET", target, *(f"{name}: {value}" for name, value in proof.items()), host=host)
        if response.status == 200:
            assert "app.example" == response.json()["client"][2]
        else:
            assert response.status in {400, 401}
