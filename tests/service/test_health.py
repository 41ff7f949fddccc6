"""What the state of an application names as a problem, over a real fake issuer and a cache that is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.clock import ManualClock
from service.operations.metrics.metrics import Metrics
from service.operations.metrics.state import StateMetrics
from service.web.connections.registry import ConnectionCounts

INTROSPECTING = {
    "validation": "introspection",
    "client_id": "0oaapi00000000000001",
    "client_secret": "api-secret-for-tests-only-00000000001",
}
NO_CACHE = {"cache_url": "redis://127.0.0.1:1", "cache_secret": "s" * 32}
Call = Callable[..., Any]


@pytest.fixture
def clock(fake_issuer: RunningIssuer) -> ManualClock:
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def app(
    fake_issuer: RunningIssuer, io_loop: IOLoop, clock: ManualClock, request: pytest.FixtureRequest
) -> Iterator[ResourceServerApplication]:
    options = getattr(request, "param", {})
    service = make_app(Settings(issuer=fake_issuer.issuer_url(), **options), clock=clock)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str) -> Call:
    async def send(path: str, token: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        response = await http_client.fetch(base_url + path, headers=headers, raise_error=False)
        return response.code, json.loads(response.body)

    return send


def _problems(app: ResourceServerApplication) -> list[str]:
    return app.health.problems


@pytest.mark.gen_test
async def test_a_healthy_process_has_no_problem(app: ResourceServerApplication, call: Call) -> None:
    assert (200, {"status": "ready"}) == await call("/readyz")
    assert (200, {"status": "alive"}) == await call("/livez")
    described = app.health.describe()
    assert [] == described["problems"]
    assert {"state": "fresh", "age": 0.0, "last_error": None} == described["issuers"][0]["keys"]


@pytest.mark.gen_test
async def test_missing_keys_are_a_problem_and_not_ready(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", status=500)
    assert 503 == (await call("/readyz"))[0]
    assert ["keys_missing"] == _problems(app)
    assert "expected 200, got 500" in app.health.describe()["issuers"][0]["keys"]["last_error"]


@pytest.mark.gen_test
async def test_a_failing_refresh_is_a_problem_while_the_keys_are_fresh_and_later_they_are_stale(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    assert 200 == (await call("/readyz"))[0]
    fake_issuer.fail("keys", status=500)
    clock.advance(3550)
    token = fake_issuer.token(expires_in=9000)
    while not _problems(app):  # the refresh runs in the background
        assert 200 == (await call("/api/whoami", token))[0]
    assert ["key_set_refresh_failing"] == _problems(app)
    clock.advance(100)
    assert (200, {"status": "ready", "degraded": True}) == await call("/readyz")
    assert ["keys_stale"] == _problems(app)
    fake_issuer.reset()
    while _problems(app):  # a refresh that began before may fail after the reset
        clock.advance(100)
        assert 200 == (await call("/readyz"))[0]


@pytest.mark.parametrize("app", [INTROSPECTING], indirect=True, ids=[""])
@pytest.mark.gen_test
async def test_introspection_that_fails_for_every_token_is_a_problem(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("introspect", status=500)
    for _ in range(4):
        assert 503 == (await call("/api/whoami", fake_issuer.token()))[0]
    assert ["introspection_failing"] == _problems(app)
    assert (200, {"status": "ready", "degraded": True}) == await call("/readyz")
    described = app.health.describe()["issuers"][0]["introspection"]
    assert "paused" == described["state"]
    assert "500" in described["last_error"]


@pytest.mark.parametrize("app", [INTROSPECTING | {"client_secret": "wrong"}], indirect=True, ids=[""])
@pytest.mark.gen_test
async def test_rejected_credentials_are_a_problem_and_not_ready(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer
) -> None:
    assert 503 == (await call("/api/whoami", fake_issuer.token()))[0]
    assert ["credentials_rejected"] == _problems(app)
    assert 503 == (await call("/readyz"))[0]


@pytest.mark.parametrize("app", [NO_CACHE, NO_CACHE | {"dpop": "required"}], indirect=True, ids=["", "DPoP"])
@pytest.mark.gen_test
async def test_an_unavailable_cache_is_a_problem_and_means_that_proofs_are_not_shared(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer
) -> None:
    requires_proofs = app.health.binding.requires_proofs
    assert (401 if requires_proofs else 200) == (await call("/api/whoami", fake_issuer.token()))[0]
    expected = ["shared_cache_unavailable", "dpop_proofs_unshared"] if requires_proofs else ["shared_cache_unavailable"]
    assert expected == _problems(app)
    described = app.health.describe()
    assert {"state": "unavailable", "failures": app.health.cache.failures} == described["shared_cache"]


@pytest.mark.gen_test
async def test_a_draining_process_is_not_ready(app: ResourceServerApplication, call: Call) -> None:
    app.health.is_draining = True
    assert (503, {"status": "not ready"}) == await call("/readyz")
    assert (200, {"status": "alive"}) == await call("/healthz")


@pytest.mark.parametrize("app", [INTROSPECTING], indirect=True, ids=[""])
@pytest.mark.gen_test
async def test_the_state_is_published_as_metrics(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer
) -> None:
    metrics = Metrics()
    counts = ConnectionCounts(open=3, websockets=1, limit=100, exceeded={"max_body_size": 2})
    state = StateMetrics(metrics.registry, app.health, connections=lambda: counts, monitored_tokens=lambda: 2)
    state.publish()
    token = fake_issuer.token()
    for _ in range(3):
        await call("/api/whoami", token)
    await call("/api/whoami", "opaque-token")
    state.publish()
    async with state.published():
        pass
    issuer = fake_issuer.issuer_url()
    expected = {
        f'resource_server_introspections_total{{issuer="{issuer}",outcome="active"}} 1.0',
        f'resource_server_introspections_total{{issuer="{issuer}",outcome="inactive"}} 1.0',
        f'resource_server_problem{{issuer="{issuer}",problem="introspection_failing"}} 0.0',
        'resource_server_cache_lookups_total{cache="tokens",result="hit"} 2.0',
        'resource_server_cache_lookups_total{cache="introspection",result="miss"} 2.0',
        'resource_server_cache_entries{cache="tokens"} 1.0',
        'resource_server_limit_exceeded_total{limit="max_body_size"} 2.0',
        "resource_server_open_connections 3.0",
        "resource_server_websockets 1.0",
        "resource_server_monitored_tokens 2.0",
    }
    assert set() == expected - set(metrics.generate().decode().splitlines())


@pytest.mark.gen_test
async def test_the_age_of_the_keys_and_unknown_key_ids_are_published(
    app: ResourceServerApplication, call: Call, fake_issuer: RunningIssuer, clock: ManualClock
) -> None:
    metrics = Metrics()
    counts = ConnectionCounts(open=0, websockets=0, limit=1, exceeded={})
    state = StateMetrics(
        metrics.registry,
        app.health,
        connections=lambda: counts,
        monitored_tokens=lambda: 0,
        certificate_expiry=lambda: 5.0,
    )
    await call("/readyz")
    for number in range(3):
        await call("/api/whoami", fake_issuer.token(header={"kid": f"invented-{number}"}))
    clock.advance(60)
    state.publish()
    issuer = fake_issuer.issuer_url()
    text = metrics.generate().decode()
    assert f'resource_server_unknown_key_ids_total{{issuer="{issuer}"}} 3.0\n' in text
    assert f'resource_server_key_set_refreshes_total{{issuer="{issuer}",outcome="succeeded"}}' in text
    assert "resource_server_certificate_expiry_timestamp_seconds 5.0\n" in text
    assert "invented" not in text
