"""Connections of a server that drains."""

from __future__ import annotations

import asyncio

import pytest
from raw_clients import APPLICATION, Client, Pending, ServeWith
from tornado.web import Application, RequestHandler

from service.web.connections import registry
from service.web.connections.server import LimitedHTTPServer


class _Streamed(RequestHandler):
    """Sends the header at once, and the body when the test releases it."""

    async def get(self) -> None:
        self.set_header("Content-Length", "2")
        await self.flush()
        await Pending.release.wait()
        self.write("ok")


@pytest.fixture
def server() -> LimitedHTTPServer:
    return LimitedHTTPServer(Application([(r"/streamed", _Streamed), (r".*", APPLICATION)]))


async def _drain(server: LimitedHTTPServer, *, within: float = 20.0) -> asyncio.Task[bool]:
    draining = asyncio.create_task(server.drain(within=within))
    await asyncio.sleep(0.05)
    return draining


async def _has_ended(client: Client) -> bool:
    return b"" == (await client.read_to_end()).raw


@pytest.mark.gen_test
async def test_a_response_in_progress_announces_the_end(server: LimitedHTTPServer, serve_with: ServeWith) -> None:
    async with serve_with(server) as connect:
        client = await connect()
        response = asyncio.ensure_future(client.get("/pending"))
        await asyncio.sleep(0.05)
        draining = await _drain(server)
        Pending.release.set()
        assert b"\r\nConnection: close\r\n" in (await response).raw
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")  # which crosses the close, and resets nothing
        assert await _has_ended(client)
        client.writer.close()
        assert await draining


@pytest.mark.gen_test
async def test_a_request_on_an_idle_connection_is_the_last(server: LimitedHTTPServer, serve_with: ServeWith) -> None:
    async with serve_with(server) as connect:
        used, unused = await connect(), await connect()
        assert b"Connection" not in (await used.get("/")).raw
        draining = await _drain(server)
        for client in (used, unused):
            assert b"\r\nConnection: close\r\n" in (await client.get("/")).raw
            assert await _has_ended(client)
            client.writer.close()
        assert await draining


@pytest.mark.gen_test
async def test_connections_without_requests_are_closed(
    server: LimitedHTTPServer, serve_with: ServeWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_IDLE_TIME", 0.1)
    async with serve_with(server) as connect:
        used, unused = await connect(), await connect()
        assert 200 == (await used.get("/")).status
        draining = await _drain(server)
        assert await _has_ended(used)
        assert await _has_ended(unused)
        assert await draining


@pytest.mark.gen_test
async def test_a_response_whose_header_is_sent_is_followed_by_one_that_announces_the_end(
    server: LimitedHTTPServer, serve_with: ServeWith
) -> None:
    async with serve_with(server) as connect:
        client = await connect()
        response = asyncio.ensure_future(client.get("/streamed"))
        await asyncio.sleep(0.05)
        draining = await _drain(server)
        Pending.release.set()
        assert b"Connection" not in (await response).raw
        assert b"\r\nConnection: close\r\n" in (await client.get("/")).raw
        client.writer.close()
        assert await draining


@pytest.mark.gen_test
async def test_a_request_that_arrives_just_now_is_served(
    server: LimitedHTTPServer, serve_with: ServeWith, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_IDLE_TIME", 0.0)
    async with serve_with(server) as connect:
        client = await connect()
        await asyncio.sleep(0.05)
        await client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        draining = asyncio.create_task(server.drain(within=20.0))
        assert 200 == (await client.read()).status
        client.writer.close()
        assert await draining


@pytest.mark.gen_test
async def test_a_slow_response_ends_the_drain(server: LimitedHTTPServer, serve_with: ServeWith) -> None:
    async with serve_with(server) as connect:
        client = await connect()
        response = asyncio.ensure_future(client.get("/pending"))
        await asyncio.sleep(0.05)
        assert not await server.drain(within=0.05)
        Pending.release.set()
        assert 200 == (await response).status


@pytest.mark.gen_test
async def test_a_client_with_http_1_0_is_told_as_well(server: LimitedHTTPServer, serve_with: ServeWith) -> None:
    async with serve_with(server) as connect:
        client = await connect()
        draining = await _drain(server)
        await client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        received = await client.read_to_end()
        assert received.raw.count(b"Connection: close") == 1
        assert b"Keep-Alive" not in received.raw
        client.writer.close()
        assert await draining
