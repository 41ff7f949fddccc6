from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler

from fakeissuer import RunningIssuer
from service.app import make_app
from service.operations.processes.drain import serving
from service.operations.sockets.bound import bind
from service.settings.program import Settings
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin


class Slow(BearerAuthMixin, RequestHandler):
    public = True
    entered = asyncio.Event()
    leave = asyncio.Event()

    async def get(self) -> None:
        self.entered.set()
        await self.leave.wait()
        self.write({"finished": True})

    def post(self) -> None:
        self.write({"received": len(self.request.body)})


@pytest.fixture
def service(fake_issuer: RunningIssuer, io_loop: IOLoop) -> ResourceServerApplication:
    Slow.entered, Slow.leave = asyncio.Event(), asyncio.Event()
    return make_app(Settings(issuer=fake_issuer.issuer_url()), routes=[(r"/slow", Slow)])


@pytest.mark.gen_test
async def test_the_announced_port_is_served(service: ResourceServerApplication) -> None:
    async with serving(service, bind("127.0.0.1", 0)) as url:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url)
        assert 200 == (await AsyncHTTPClient().fetch(f"{url}/healthz")).code


@pytest.mark.gen_test
async def test_a_drain_waits_for_pending_requests(service: ResourceServerApplication) -> None:
    async def run() -> None:
        async with serving(service, bind("127.0.0.1", 0)) as url:
            urls.append(url)
            await drained.wait()

    urls: list[str] = []
    drained = asyncio.Event()
    running = asyncio.create_task(run())
    await _until(lambda: bool(urls))
    response = asyncio.ensure_future(AsyncHTTPClient().fetch(f"{urls[0]}/slow"))
    await Slow.entered.wait()
    drained.set()
    await _until(lambda: not _listens(urls[0]))
    assert not running.done()
    Slow.leave.set()
    assert b'{"finished": true}' == (await response).body
    assert "close" == (await response).headers["Connection"]
    await running


@pytest.mark.gen_test
async def test_a_pending_request_is_dropped_after_the_drain_timeout(
    service: ResourceServerApplication, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(service, bind("127.0.0.1", 0), drain_timeout=0.05) as url:
        response = asyncio.ensure_future(AsyncHTTPClient().fetch(f"{url}/slow"))
        await Slow.entered.wait()
    assert ["pending requests dropped"] == [r.message for r in caplog.records if r.levelname == "WARNING"]
    Slow.leave.set()
    await asyncio.wait([response])
    assert response.exception() is not None


async def _until(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110  # a socket has no event to wait for
        await asyncio.sleep(0)


def _listens(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
