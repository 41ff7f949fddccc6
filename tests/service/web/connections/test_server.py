from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator

import pytest
import tornado.web
import trustme
from raw_clients import APPLICATION, Client, ServeWith
from tornado.ioloop import IOLoop
from tornado.netutil import bind_unix_socket

from service.settings.groups.limits import LimitSettings
from service.web.connections.server import LimitedHTTPServer, _max_connections, default_max_connections
from service.web.connections.stream import ClientStream

_LIMITS = {"max_header_size": 1000, "max_body_size": 1000, "header_timeout": 1, "body_timeout": 1}
_POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
_REQUESTS_OVER_A_LIMIT = {
    "request line that is read at once": (
        b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\n\r\n",
        414,
        "uri_too_long",
        "max_header_size",
    ),
    "request line": (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n", 414, "uri_too_long", "max_header_size"),
    "header": (
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        431,
        "request_header_fields_too_large",
        "max_header_size",
    ),
    "body with a length": (
        _POST + b"Content-Length: 5000000\r\n\r\n" + b"x" * 5_000_000,
        413,
        "content_too_large",
        "max_body_size",
    ),
    "body in chunks": (
        _POST + b"Transfer-Encoding: chunked\r\n\r\nfffff\r\n" + b"x" * 2_000_000,
        413,
        "content_too_large",
        "max_body_size",
    ),
    "slow header": (b"GET / HTTP/1.1\r\nHost: a\r\n", 408, "request_timeout", "header_timeout"),
    "slow body": (_POST + b"Content-Length: 20\r\n\r\nhalf", 408, "request_timeout", "body_timeout"),
    "no request line": (b"rubbish\r\n\r\n", 400, "invalid_request", None),
    "no header field": (b"GET / HTTP/1.1\r\nrubbish\r\n\r\n", 400, "invalid_request", None),
    "size of a chunk": (_POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 100, 400, "invalid_request", None),
    "two lengths": (_POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", 400, "invalid_request", None),
}


@pytest.mark.parametrize("case", _REQUESTS_OVER_A_LIMIT)
@pytest.mark.gen_test
async def test_a_request_over_a_limit_gets_its_status_as_json_and_one_log_line(
    case: str, serve_with: ServeWith, caplog: pytest.LogCaptureFixture
) -> None:
    request, status, error, limit = _REQUESTS_OVER_A_LIMIT[case]
    async with serve_with(**_LIMITS) as connect:
        client = await connect()
        await client.send(request)
        received = await client.read_to_end()
    assert (status, error) == (received.status, received.error)
    (record,) = [r for r in caplog.records if r.name == "service.web.connections.limit_log"]
    assert (logging.WARNING, limit, status, "127.0.0.1") == (
        record.levelno,
        vars(record).get("limit"),
        vars(record)["status"],
        vars(record)["remote_ip"],
    )
    assert f"\r\nX-Request-Id: {vars(record)['request_id']}\r\n".encode() in received.raw


@tornado.web.stream_request_body
class _Rejecting(tornado.web.RequestHandler):
    async def prepare(self) -> None:
        self.set_status(401)
        await self.finish()

    def data_received(self, chunk: bytes) -> None:
        """Leave the body alone."""


@pytest.mark.gen_test
async def test_a_body_over_the_limit_after_the_response_is_not_logged(
    serve_with: ServeWith, caplog: pytest.LogCaptureFixture
) -> None:
    rejecting = tornado.web.Application([(r"/", _Rejecting)], log_function=lambda _: None)
    async with serve_with(LimitedHTTPServer(rejecting, limits=LimitSettings(max_body_size=1000))) as connect:
        client = await connect()
        await client.send(_POST + b"Content-Length: 5000\r\n\r\n" + b"x" * 5000)
        assert 401 == (await client.read_to_end()).status
    assert [] == [record for record in caplog.records if record.name == "service.web.connections.limit_log"]


@pytest.mark.gen_test
async def test_requests_up_to_the_limits_are_served(serve_with: ServeWith) -> None:
    async with serve_with(**_LIMITS) as connect:
        client = await connect()
        await client.send(_POST + b"Connection: close\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000)
        assert b'{"received": 1000}' in (await client.read_to_end()).raw
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX: " + b"x" * 900 + b"\r\n\r\n")
        assert 200 == (await client.read_to_end()).status


@pytest.mark.gen_test
async def test_a_connection_without_any_request_is_closed_silently(serve_with: ServeWith) -> None:
    async with serve_with(header_timeout=0.1) as connect:
        client = await connect()
        assert b"" == (await client.read_to_end()).raw


@pytest.mark.gen_test
async def test_a_connection_outlives_the_header_timeout_between_requests(serve_with: ServeWith) -> None:
    async with serve_with(header_timeout=0.5, keep_alive_timeout=2) as connect:
        client = await connect()
        assert 200 == (await client.get("/")).status
        await asyncio.sleep(0.8)
        assert 200 == (await client.get("/")).status
        assert b"" == (await client.read_to_end()).raw  # after the keep-alive timeout


@pytest.mark.gen_test
async def test_the_header_timeout_of_a_further_request_begins_with_its_first_byte(serve_with: ServeWith) -> None:
    async with serve_with(header_timeout=0.5, keep_alive_timeout=30) as connect:
        client = await connect()
        assert 200 == (await client.get("/")).status
        await client.send(b"GET /slow HT")
        assert 408 == (await client.read_to_end()).status


@pytest.mark.gen_test
async def test_arguments_of_tornado_take_precedence_over_the_limits(serve_with: ServeWith) -> None:
    server = LimitedHTTPServer(
        APPLICATION, limits=LimitSettings(max_body_size=10), max_body_size=100, idle_connection_timeout=1
    )
    async with serve_with(server) as connect:
        client = await connect()
        await client.send(_POST + b"Content-Length: 100\r\n\r\n" + b"x" * 100)
        assert b'{"received": 100}' in (await client.read_to_end()).raw  # until the idle timeout


@pytest.mark.parametrize(
    ("soft", "expected"),
    [(64, 24), (1024, 922), (20, 1), (1_000_000, 10_000), (resource.RLIM_INFINITY, 10_000)],
)
def test_the_number_of_connections_follows_the_limit_of_descriptors(
    soft: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert expected == default_max_connections(LimitSettings())


@pytest.mark.parametrize(
    ("soft", "wanted", "served"),
    [(1024, 900, 900), (1024, 984, 984), (1024, 985, 984), (1024, 5000, 984), (20, 8, 1), (-1, 50_000, 50_000)],
)
def test_health_checks_keep_their_descriptors_if_the_setting_exceeds_the_limit(
    soft: int, wanted: int, served: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, soft))
    assert served == _max_connections(LimitSettings(max_connections=wanted))
    assert [served] * (served != wanted) == [vars(record)["value"] for record in caplog.records]


@pytest.fixture
def tls_server() -> LimitedHTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    limits = LimitSettings(handshake_timeout=10, header_timeout=5)
    return LimitedHTTPServer(APPLICATION, limits=limits, ssl_options=context)


@pytest.mark.gen_test
async def test_a_tls_handshake_has_a_time_limit_of_its_own(io_loop: IOLoop, tls_server: LimitedHTTPServer) -> None:
    async with _connected(tls_server) as (stream, _):
        accepted_at = stream.waiting_since
        stream.check_timeouts(accepted_at + 9)
        assert not stream.closed()
        stream.check_timeouts(accepted_at + 10)
        assert stream.closed()


@pytest.mark.gen_test
async def test_the_time_for_the_header_begins_after_the_handshake(
    io_loop: IOLoop, tls_server: LimitedHTTPServer
) -> None:
    async with _connected(tls_server) as (stream, client):
        handshake_at = stream.waiting_since + 9
        stream.check_timeouts(handshake_at)
        trusting = ssl._create_unverified_context()  # noqa: S323  # the server is ours
        await client.writer.start_tls(trusting, server_hostname="127.0.0.1")
        await client.send(b"GET / HTTP/1.1\r\n")
        while not stream._read_buffer:  # noqa: ASYNC110  # a buffer has no event
            await asyncio.sleep(0.01)
        stream.check_timeouts(handshake_at + 4)
        assert not stream.closed()
        stream.check_timeouts(handshake_at + 5)
        assert stream.closed()


@contextlib.asynccontextmanager
async def _connected(server: LimitedHTTPServer) -> AsyncIterator[tuple[ClientStream, Client]]:
    """Yield the stream of the server's only connection, and its client."""
    server.listen(0, "127.0.0.1")
    (listening,) = server._sockets.values()
    client = Client(*await asyncio.open_connection(*listening.getsockname()))
    while not server._registry._open:  # noqa: ASYNC110  # a socket has no event
        await asyncio.sleep(0.01)
    (stream,) = server._registry._open
    try:
        yield stream, client
    finally:
        client.writer.transport.abort()
        server.stop()
        await server.close_all_connections()


@pytest.mark.gen_test
async def test_the_peer_at_a_unix_socket_has_no_address_in_the_log(
    io_loop: IOLoop, caplog: pytest.LogCaptureFixture
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        listening = bind_unix_socket(f"{folder}/api.sock")
        server = LimitedHTTPServer(APPLICATION, limits=LimitSettings())
        server.add_sockets([listening])
        client = Client(*await asyncio.open_unix_connection(f"{folder}/api.sock"))
        await client.send(b"rubbish\r\n\r\n")
        assert 400 == (await client.read_to_end()).status
        client.writer.close()
        server.stop()
        await server.close_all_connections()
    assert ["0.0.0.0"] == [vars(record)["remote_ip"] for record in caplog.records]


@pytest.mark.gen_test
async def test_an_ipv4_client_at_a_socket_for_both_versions_has_its_own_address(io_loop: IOLoop) -> None:
    listening = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    listening.settimeout(0)
    server = LimitedHTTPServer(tornado.web.Application([(r"/", _Address)]), limits=LimitSettings())
    server.add_sockets([listening])
    for host in ("127.0.0.1", "::1"):
        client = Client(*await asyncio.open_connection(host, listening.getsockname()[1]))
        assert f"address={host}".encode() in (await client.get("/")).raw
        client.writer.close()
    server.stop()
    await server.close_all_connections()


class _Address(tornado.web.RequestHandler):
    def get(self) -> None:
        self.write(f"address={self.request.remote_ip}")
