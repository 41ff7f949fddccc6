"""Two processes that share one memory, and what becomes of their callers when it dies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator

import pytest
import servers
from tornado.httpclient import AsyncHTTPClient

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.caches import shared
from service.operations.admin.application import make_admin_app
from service.operations.admin.hosts import ForeignHost
from service.operations.metrics.metrics import Metrics

CLIENT = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}


@pytest.fixture(params=["redis", "memcached"])
def server(request: pytest.FixtureRequest) -> Iterator[servers.CacheServer]:
    with servers.running(request.param) as running:
        yield running


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the server even where the machine is busy."""
    monkeypatch.setattr(shared, "TIMEOUT", 1.0)


@pytest.fixture
def make(fake_issuer: RunningIssuer, server: servers.CacheServer) -> Callable[..., ResourceServerApplication]:
    """Return what makes one more service on the same cache, as another process would."""

    def making(validation: str = "introspection") -> ResourceServerApplication:
        terms = {"issuer": fake_issuer.issuer_url(), "validation": validation, "cache_url": server.url, **CLIENT}
        return make_app(Settings(**terms))  # type: ignore[arg-type]  # all of it are texts

    return making


async def _statuses(urls: list[str], tokens: list[str]) -> list[int]:
    client = AsyncHTTPClient(force_instance=True, max_clients=100)
    requests = [
        client.fetch(f"{url}/api/whoami", headers={"Authorization": f"Bearer {token}"}, raise_error=False)
        for token in tokens
        for url in urls
    ]
    statuses = [response.code for response in await asyncio.gather(*requests)]
    client.close()
    return statuses


@pytest.mark.gen_test(timeout=30)
async def test_two_processes_share_one_introspection_request(
    make: Callable[..., ResourceServerApplication],
    listen: Callable[[ResourceServerApplication], str],
    fake_issuer: RunningIssuer,
) -> None:
    urls = [listen(make()), listen(make())]
    await _statuses(urls, [fake_issuer.token()])  # both have discovered, and are connected
    fake_issuer.clear_requests()
    fake_issuer.fail("introspect", delay=0.2, times=1)
    token = fake_issuer.token()
    assert {200} == set(await _statuses(urls, [token] * 50))
    assert 1 == fake_issuer.requests("introspect").count


@pytest.mark.gen_test(timeout=60)
async def test_a_cache_outage_under_load_causes_no_failed_request(
    make: Callable[..., ResourceServerApplication],
    listen: Callable[[ResourceServerApplication], str],
    fake_issuer: RunningIssuer,
    server: servers.CacheServer,
) -> None:
    urls = [listen(make()), listen(make())]
    seen: list[int] = []
    for turn in range(12):
        if turn == 3:
            server.stop()
        if turn == 7:
            server.start()
        seen += await _statuses(urls, [fake_issuer.token() for _ in range(10)])
    assert {200} == set(seen)


@pytest.mark.gen_test(timeout=30)
async def test_a_deny_entry_reaches_the_other_process_within_a_second(
    make: Callable[..., ResourceServerApplication],
    listen: Callable[[ResourceServerApplication], str],
    fake_issuer: RunningIssuer,
    http_client: AsyncHTTPClient,
) -> None:
    here, there = make("jwt"), make("jwt")
    urls = [listen(here), listen(there)]
    token = fake_issuer.token(sub="mallory@example.com")
    assert [200, 200] == await _statuses(urls, [token])
    admin = make_admin_app(
        here.deny_list,
        clock=here.deny_list._clock,
        tokens={"alice": "t"},
        metrics=Metrics(),
        health=here.health,
        foreign_host=ForeignHost("127.0.0.1"),
    ).listen(0, "127.0.0.1")
    (listening,) = admin._sockets.values()
    denied = await http_client.fetch(
        f"http://127.0.0.1:{listening.getsockname()[1]}/deny-list",
        method="POST",
        headers={"Authorization": "Bearer t"},
        body=json.dumps({"sub": "mallory@example.com"}),
    )
    assert (201, True) == (denied.code, json.loads(denied.body)["shared"])
    assert [401] == await _statuses(urls[:1], [token])  # at once, although it was verified a moment ago
    await asyncio.sleep(1)
    assert [401] == await _statuses(urls[1:], [token])
    admin.stop()
