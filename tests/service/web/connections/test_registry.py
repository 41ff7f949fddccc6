from __future__ import annotations

import asyncio

import pytest
from raw_clients import Pending, ServeWith

from service.web.connections import registry


@pytest.fixture(autouse=True)
def no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_MIN_WAIT", 0.0)


@pytest.mark.gen_test
async def test_the_oldest_connection_without_a_request_is_closed_first(serve_with: ServeWith) -> None:
    async with serve_with(max_connections=3) as connect:
        used = await connect()
        assert 200 == (await used.get("/")).status
        unused = [await connect(), await connect()]
        await asyncio.sleep(0.05)
        new = await connect()
        assert 200 == (await new.get("/")).status
        assert b"" == (await unused[0].read_to_end()).raw
        assert 200 == (await used.get("/")).status
        assert 200 == (await unused[1].get("/")).status


@pytest.mark.gen_test
async def test_the_longest_idle_connection_is_closed_if_all_have_sent_requests(serve_with: ServeWith) -> None:
    async with serve_with(max_connections=2) as connect:
        first, second = await connect(), await connect()
        for client in (first, second):
            assert 200 == (await client.get("/")).status
        assert 200 == (await (await connect()).get("/")).status
        assert b"" == (await first.read_to_end()).raw
        assert 200 == (await second.get("/")).status


@pytest.mark.gen_test
async def test_only_health_checks_are_served_while_all_connections_are_busy(
    serve_with: ServeWith, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve_with(max_connections=2) as connect:
        busy = [await connect(), await connect()]
        responses = [asyncio.ensure_future(client.get("/pending")) for client in busy]
        await asyncio.sleep(0.05)
        for _ in range(3):
            for path, status in (("/healthz", 200), ("/readyz?x=1", 200), ("/", 503)):
                client = await connect()
                assert status == (await client.get(path)).status
        assert "max_connections" in {vars(record).get("limit") for record in caplog.records}
        Pending.release.set()
        assert [200, 200] == [response.status for response in await asyncio.gather(*responses)]


@pytest.mark.gen_test
async def test_a_connection_of_the_reserve_is_served_fully_once_there_is_room(serve_with: ServeWith) -> None:
    async with serve_with(max_connections=1) as connect:
        busy = await connect()
        response = asyncio.ensure_future(busy.get("/pending"))
        await asyncio.sleep(0.05)
        client = await connect()
        assert 200 == (await client.get("/healthz")).status
        Pending.release.set()
        assert 200 == (await response).status
        busy.writer.close()
        await asyncio.sleep(0.05)
        assert 200 == (await client.get("/healthz")).status
        assert 200 == (await client.get("/")).status


@pytest.mark.gen_test
async def test_silent_connections_do_not_use_up_the_reserve(serve_with: ServeWith) -> None:
    async with serve_with(max_connections=1) as connect:
        response = asyncio.ensure_future((await connect()).get("/pending"))
        await asyncio.sleep(0.05)
        silent = [await connect() for _ in range(20)]
        assert 200 == (await (await connect()).get("/healthz")).status
        assert b"" == (await silent[0].read_to_end()).raw
        Pending.release.set()
        assert 200 == (await response).status


@pytest.mark.gen_test
async def test_a_lingering_socket_makes_room(serve_with: ServeWith) -> None:
    async with serve_with(max_connections=1) as connect:
        rejected = await connect()
        await rejected.send(b"rubbish\r\n\r\n")
        assert b"400" in await rejected.reader.readuntil(b"\r\n")
        assert 200 == (await (await connect()).get("/")).status


@pytest.mark.gen_test
async def test_the_number_of_connections_for_health_checks_is_a_setting(serve_with: ServeWith) -> None:
    async with serve_with(max_connections=1, health_check_connections=1) as connect:
        response = asyncio.ensure_future((await connect()).get("/pending"))
        await asyncio.sleep(0.05)
        first, second = await connect(), await connect()
        assert 200 == (await second.get("/healthz")).status
        assert b"" == (await first.read_to_end()).raw
        Pending.release.set()
        assert 200 == (await response).status
