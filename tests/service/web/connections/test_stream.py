from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any

import pytest
from raw_clients import Pending, ServeWith
from tornado.ioloop import IOLoop

from service.web.connections.stream import ClientStream

_GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def _events(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [
        (record.message, vars(record).get("limit", "")) for record in caplog.records if record.levelname == "WARNING"
    ]


@pytest.mark.gen_test
async def test_a_client_that_reads_nothing_is_disconnected(
    serve_with: ServeWith, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_with(write_timeout=0.3) as connect:
        client = await connect()
        client.writer.transport.pause_reading()
        await client.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        while not _events(caplog):  # noqa: ASYNC110  # the log has no event
            await asyncio.sleep(0.05)
    assert [("client reads nothing", "write_timeout")] == _events(caplog)


@pytest.mark.gen_test
async def test_a_client_that_reads_slowly_is_served(serve_with: ServeWith) -> None:
    async with serve_with(write_timeout=1) as connect:
        client = await connect()
        await client.send(b"GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        received = 0
        while chunk := await client.reader.read(1024 * 1024):
            received += len(chunk)
            await asyncio.sleep(0.02)
        assert received > 32 * 1024 * 1024


@pytest.mark.gen_test
async def test_a_handler_that_takes_longer_than_the_write_timeout_responds(serve_with: ServeWith) -> None:
    async with serve_with(write_timeout=0.5, header_timeout=0.5) as connect:
        client = await connect()
        response = asyncio.ensure_future(client.get("/pending"))
        await asyncio.sleep(1)
        assert not response.done()
        Pending.release.set()
        assert 200 == (await response).status


@pytest.mark.gen_test
async def test_a_response_to_a_request_whose_header_arrived_in_parts_may_take_longer_than_the_header_timeout(
    serve_with: ServeWith,
) -> None:
    async with serve_with(header_timeout=1, keep_alive_timeout=30) as connect:
        client = await connect()
        assert 200 == (await client.get("/")).status
        await client.send(b"GET /pending HTTP/1.1\r\n")
        await asyncio.sleep(0.5)  # the check of the timeouts notices the part
        await client.send(b"Host: a\r\nConnection: close\r\n\r\n")
        await asyncio.sleep(1.2)
        Pending.release.set()
        assert 200 == (await client.read_to_end()).status


@pytest.mark.gen_test
async def test_requests_that_a_disconnected_client_sent_ahead_are_not_served(
    serve_with: ServeWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    wait_for_request = ClientStream.wait_for_request

    def count(self: ClientStream) -> None:
        started.append(self)
        wait_for_request(self)

    monkeypatch.setattr(ClientStream, "wait_for_request", count)
    async with serve_with() as connect:
        client = await connect()
        await client.send(
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 50
        )
        assert 200 == (await client.read_to_end()).status
    assert len(started) <= 2


@pytest.mark.gen_test
async def test_a_rejection_of_a_client_that_has_gone_is_not_an_error(
    serve_with: ServeWith, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_with(header_timeout=0.2) as connect:
        client = await connect()
        await client.send(b"GET / HTTP/1.1\r\n")
        raw = client.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.writer.transport.abort()
        await asyncio.sleep(0.5)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.gen_test
async def test_a_body_that_stops_after_the_response_has_begun_is_not_answered_again(serve_with: ServeWith) -> None:
    async with serve_with(body_timeout=0.2) as connect:
        client = await connect()
        await client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\nExpect: 100-continue\r\n\r\n")
        assert b"HTTP/1.1 100 (Continue)\r\n\r\n" == await client.reader.readuntil(b"\r\n\r\n")
        received = await client.read_to_end()
    assert 408 == received.status


def _count_calls(monkeypatch: pytest.MonkeyPatch, target: Any, name: str) -> list[object]:
    """Return a list that gets an item for each call of a method."""
    calls: list[object] = []
    method = getattr(target, name)

    def count(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return method(*args, **kwargs)

    monkeypatch.setattr(target, name, count)
    return calls


@pytest.mark.gen_test
async def test_a_request_that_waits_for_a_slow_response_keeps_the_loop_idle_and_is_served(
    serve_with: ServeWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = _count_calls(monkeypatch, ClientStream, "_handle_events")
    async with serve_with() as connect:
        client = await connect()
        first = asyncio.ensure_future(client.get("/pending"))
        await asyncio.sleep(0.05)
        await client.send(_GET)
        await asyncio.sleep(0.1)
        assert not first.done()
        assert len(events) < 10
        Pending.release.set()
        assert 200 == (await first).status
        assert 200 == (await client.read()).status


@pytest.mark.gen_test
async def test_a_client_that_leaves_during_a_slow_response_is_noticed(
    serve_with: ServeWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = _count_calls(monkeypatch, ClientStream, "close")
    async with serve_with() as connect:
        client = await connect()
        await client.send(b"GET /pending HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.05)
        client.writer.close()
        while not closed:  # noqa: ASYNC110  # the stream has no event
            await asyncio.sleep(0.01)


@pytest.mark.gen_test
async def test_a_connection_with_one_request_after_the_other_never_stops_waiting_for_data(
    serve_with: ServeWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    updates = _count_calls(monkeypatch, IOLoop.current(), "update_handler")
    receive_request = ClientStream.receive_request
    received = []

    def send_the_next(self: ClientStream) -> None:
        receive_request(self)
        received.append(self)
        if len(received) < 20:
            client.writer.write(_GET)  # which arrives before the response is complete

    monkeypatch.setattr(ClientStream, "receive_request", send_the_next)
    async with serve_with() as connect:
        client = await connect()
        await client.send(_GET)
        assert [200] * 20 == [(await client.read()).status for _ in range(20)]
        assert [] == updates
