from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import servers
from pydantic import SecretStr

from service.caches.backends.opening import open_backend
from service.clock import SystemClock
from service.errors import SettingsError
from service.operations.doctor.network.cache import check_cache, find_failure
from service.operations.doctor.report import Finding, Outcome
from service.settings.program import Settings


async def _check(url: str, **secret: Any) -> Finding:
    settings: dict[str, Any] = {"issuer": "https://dev-1.okta.com/oauth2/default", "cache_url": SecretStr(url)}
    return await check_cache(
        Settings(**(settings | {"cache_secret": SecretStr("s" * 32)} | secret)), clock=SystemClock()
    )


@pytest.mark.gen_test
async def test_the_memory_of_each_process_needs_no_server() -> None:
    finding = await _check("memory://", cache_secret=None)
    assert (Outcome.OK, True) == (finding.outcome, "each process has a cache of its own" in finding.found)


@pytest.mark.gen_test
async def test_a_missing_secret_is_a_failure() -> None:
    finding = await _check("redis://127.0.0.1:1", cache_secret=None)
    assert (Outcome.FAIL, True) == (finding.outcome, "cache_secret" in finding.found)


@pytest.mark.gen_test
async def test_an_unsupported_url_raises_an_error() -> None:
    with pytest.raises(SettingsError, match="has a parameter that is unknown"):
        await _check("redis://127.0.0.1/?unknown=1")


@pytest.fixture(params=["redis", "memcached"])
def server(request: pytest.FixtureRequest) -> Iterator[servers.CacheServer]:
    with servers.running(request.param) as started:
        yield started


@pytest.mark.gen_test
async def test_a_server_that_accepts_every_command_passes(server: servers.CacheServer) -> None:
    finding = await _check(server.url)
    assert (Outcome.OK, True) == (finding.outcome, f"{server.kind}, it is available" in finding.found)
    backend = open_backend(server.url, clock=SystemClock(), ca_file=None)
    assert [None, None] == await backend.multi_get(["check:1", "check:2"])  # nothing remains
    assert await find_failure(backend) is None


@pytest.mark.gen_test
async def test_an_outage_is_a_warning_with_its_cause(server: servers.CacheServer) -> None:
    server.stop()
    finding = await _check(server.url)
    assert (Outcome.WARN, True) == (finding.outcome, "nothing listens at its address" in finding.found)
    assert "the service continues without it" in finding.found
