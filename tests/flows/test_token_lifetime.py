"""What stays open ends with its token, however that ends, and with the service."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import servers
from prices import ROUTES
from pydantic import SecretStr
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.websocket import WebSocketClientConnection

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.caches.deny_list import DenyEntry
from service.clock import ManualClock
from service.operations.processes.drain import serving
from service.operations.sockets.bound import bind
from service.web.handler.context import ResourceServerContext

Connect = Callable[[str, str], Awaitable[WebSocketClientConnection]]
CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, manual_clock: ManualClock) -> Iterator[ResourceServerApplication]:
    settings = Settings(issuer=fake_issuer.issuer_url(), validation="introspection", **CLIENT)  # type: ignore[arg-type]  # each is a text
    service = make_app(settings, routes=ROUTES, clock=manual_clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def look(app: ResourceServerApplication, http_server: HTTPServer) -> Callable[[], Awaitable[None]]:
    context: ResourceServerContext = app.settings[ResourceServerContext.SETTING]
    return context.monitor.check_all


@pytest.fixture
def connect(open_socket: Callable[..., Any]) -> Connect:
    return lambda url, token: open_socket(f"{url}/prices/socket", Authorization=f"Bearer {token}")


@pytest.mark.gen_test
async def test_a_socket_closes_when_its_token_is_revoked(
    connect: Connect,
    fake_issuer: RunningIssuer,
    base_url: str,
    manual_clock: ManualClock,
    look: Callable[[], Awaitable[None]],
) -> None:
    token = fake_issuer.token(scp="api:read")
    revoked, other = [await connect(base_url, one) for one in (token, fake_issuer.token(scp="api:read"))]
    fake_issuer.revoke(token)
    manual_clock.advance(59)
    await look()
    await revoked.write_message("{}")
    assert await revoked.read_message() is not None  # what the issuer said is believed for a minute
    manual_clock.advance(2)
    await look()
    assert await revoked.read_message() is None
    assert 4401 == revoked.close_code
    await other.write_message("{}")
    assert await other.read_message() is not None


@pytest.mark.gen_test
async def test_a_socket_survives_an_outage_of_the_issuer(
    connect: Connect,
    fake_issuer: RunningIssuer,
    base_url: str,
    manual_clock: ManualClock,
    look: Callable[[], Awaitable[None]],
) -> None:
    socket = await connect(base_url, fake_issuer.token(scp="api:read"))
    fake_issuer.fail("introspect", status=500)
    manual_clock.advance(61)
    await look()
    await socket.write_message("{}")
    assert await socket.read_message() is not None


@pytest.mark.gen_test
async def test_a_slow_introspection_delays_no_expiry(
    connect: Connect,
    fake_issuer: RunningIssuer,
    base_url: str,
    manual_clock: ManualClock,
    look: Callable[[], Awaitable[None]],
) -> None:
    lasting = await connect(base_url, fake_issuer.token(scp="api:read"))
    ending = await connect(base_url, fake_issuer.token(scp="api:read", expires_in=90))
    manual_clock.advance(61)
    fake_issuer.fail("introspect", delay=5)
    await asyncio.wait_for(look(), 1)
    manual_clock.advance(30)
    await asyncio.wait_for(look(), 1)
    assert await asyncio.wait_for(ending.read_message(), 1) is None
    assert 4401 == ending.close_code
    await lasting.write_message("{}")
    assert await lasting.read_message() is not None
    fake_issuer.reset()


@pytest.mark.gen_test
async def test_a_deny_entry_of_another_process_closes_sockets(connect: Connect, fake_issuer: RunningIssuer) -> None:
    with servers.running("redis") as redis:
        settings = Settings(
            issuer=fake_issuer.issuer_url(), cache_url=SecretStr(redis.url), cache_secret=SecretStr("s" * 32)
        )
        here, there = (make_app(settings, routes=ROUTES) for _ in range(2))
        async with serving(here, bind("127.0.0.1", 0)) as url:
            token = fake_issuer.token(sub="alice@example.com", scp="api:read")
            socket = await connect(url, token)
            far = settings.leeway + 4_000_000_000
            entry = DenyEntry(kind="sub", value="alice@example.com", issuer=None, expires_at=far)
            assert (await there.deny_list.add(entry)).shared
            assert await asyncio.wait_for(socket.read_message(), 10) is None
            assert 4401 == socket.close_code
        await there.close()


@pytest.mark.gen_test
async def test_stopping_the_service_closes_sockets_and_streams_at_once(
    connect: Connect, fake_issuer: RunningIssuer
) -> None:
    service = make_app(Settings(issuer=fake_issuer.issuer_url()), routes=ROUTES)
    token, first = fake_issuer.token(scp="api:read"), asyncio.Event()
    async with serving(service, bind("127.0.0.1", 0)) as url:
        socket = await connect(url, token)
        stream = asyncio.ensure_future(
            AsyncHTTPClient().fetch(
                f"{url}/prices/events",
                headers={"Authorization": f"Bearer {token}"},
                streaming_callback=lambda _: first.set(),
            )
        )
        await first.wait()
        begun = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - begun < 5
    assert 200 == (await stream).code
    assert await socket.read_message() is None
    assert 1001 == socket.close_code
