"""A service, its issuer and one clock for both, over real HTTP; for the tables of faults and of mistakes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock


@dataclass
class Rig:
    """A service, its issuer, and one clock for both."""

    issuer: RunningIssuer
    clock: ManualClock
    client: AsyncHTTPClient
    url: str

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.issuer.clock.advance(seconds)

    def known(self) -> str:
        return self.issuer.token(expires_in=10 * 24 * 3600)

    def unknown(self, number: int = 0) -> str:
        return self.issuer.token(key="unpublished", header={"kid": f"made-up-{number}"})

    async def status(self, token: str, path: str = "/api/whoami") -> int:
        headers = {"Authorization": f"Bearer {token}"}
        response = await self.client.fetch(self.url + path, headers=headers, raise_error=False)
        if response.code == 503:
            assert int(response.headers["Retry-After"]) >= 1
            assert "WWW-Authenticate" not in response.headers
        return response.code

    async def statuses(self, *tokens: str) -> list[int]:
        return list(await asyncio.gather(*(self.status(token) for token in tokens)))

    def fetches(self) -> int:
        return self.issuer.requests("keys").count


@pytest.fixture
def manual_clock(fake_issuer: RunningIssuer) -> ManualClock:
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def app(fake_issuer: RunningIssuer, io_loop: IOLoop, manual_clock: ManualClock) -> Iterator[ResourceServerApplication]:
    service = make_app(Settings(issuer=fake_issuer.issuer_url()), clock=manual_clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def rig(
    fake_issuer: RunningIssuer, manual_clock: ManualClock, io_loop: IOLoop, http_client: AsyncHTTPClient, base_url: str
) -> Rig:
    # The issuer may read only now what the service of another test has sent at its end, which must not count here.
    io_loop.run_sync(lambda: http_client.fetch(f"{fake_issuer.url}/_fake"))
    fake_issuer.clear_requests()
    return Rig(issuer=fake_issuer, clock=manual_clock, client=http_client, url=base_url)


@pytest.fixture
def listen(io_loop: IOLoop) -> Iterator[Callable[[ResourceServerApplication], str]]:
    """Return what serves one more service until the test ends, and tells its URL."""
    serving: list[tuple[ResourceServerApplication, HTTPServer]] = []

    def serve(service: ResourceServerApplication) -> str:
        server = service.listen(0, "127.0.0.1")
        serving.append((service, server))
        (listening,) = server._sockets.values()
        return f"http://127.0.0.1:{listening.getsockname()[1]}"

    yield serve
    for service, server in serving:
        server.stop()
        io_loop.run_sync(service.close)
