from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import servers
from tornado.ioloop import IOLoop

from service.caches import deny_store, shared
from service.caches.shared import SharedCache, open_cache
from service.clock import ManualClock

KEY = b"k" * 32
"""The key of every process."""


@pytest.fixture(autouse=True)
def _long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the servers even if the machine is busy; tests of the timeout set their own."""
    monkeypatch.setattr(shared, "TIMEOUT", 3.0)
    monkeypatch.setattr(shared, "ADD_TIMEOUT", 3.0)
    monkeypatch.setattr(deny_store, "_REQUEST_TIMEOUT", 3.0)


@pytest.fixture(autouse=True)
def _no_restore_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for other processes at the start; tests of that time set their own."""
    monkeypatch.setattr(deny_store, "RESTORE_TIME", 0.0)


@pytest.fixture(params=["memory", "redis", "memcached"])
def cache_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "memory":
        yield "memory://"
        return
    with servers.running(request.param) as server:
        yield server.url


@pytest.fixture
def connect(io_loop: IOLoop, clock: ManualClock) -> Iterator[Callable[[str], SharedCache]]:
    """Return a function that opens a cache, as each process does."""
    opened: list[SharedCache] = []

    def open_one(url: str) -> SharedCache:
        opened.append(open_cache(url, clock=clock, key=KEY))
        return opened[-1]

    yield open_one
    for cache in opened:
        io_loop.run_sync(cache.close)


@pytest.fixture
def cache(connect: Callable[[str], SharedCache], cache_url: str) -> SharedCache:
    return connect(cache_url)
