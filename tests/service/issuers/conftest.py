from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service.caches.shared import SharedCache
from service.clock import ManualClock
from service.issuers.client import JSONClient
from service.issuers.introspection import IntrospectionEndpoint
from service.issuers.issuer import Issuer
from service.settings.program import Settings


@pytest.fixture
def client(io_loop: IOLoop) -> Iterator[JSONClient]:
    client = JSONClient()
    yield client
    client.close()


@pytest.fixture
def issuer_clock(fake_issuer: RunningIssuer) -> ManualClock:
    """A clock with the issuer's time, which is frozen."""
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def connect(
    io_loop: IOLoop, fake_issuer: RunningIssuer, issuer_clock: ManualClock, cache: SharedCache, client: JSONClient
) -> Iterator[Callable[..., IntrospectionEndpoint]]:
    """Return a function that creates an endpoint with the given settings."""
    issuers: list[Issuer] = []

    def build(**overrides: Any) -> IntrospectionEndpoint:
        defaults = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
        settings = Settings(**({"issuer": fake_issuer.issuer_url()} | defaults | overrides))
        issuers.append(Issuer(settings.trusted_issuers[0], client=client, clock=issuer_clock, cache=cache))
        return issuers[-1].introspection

    yield build
    for issuer in issuers:
        io_loop.run_sync(issuer.close)
