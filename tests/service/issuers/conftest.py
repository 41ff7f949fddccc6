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
    """The time of the issuer, which stands still until somebody moves it."""
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def connect(
    io_loop: IOLoop, fake_issuer: RunningIssuer, issuer_clock: ManualClock, cache: SharedCache, client: JSONClient
) -> Iterator[Callable[..., IntrospectionEndpoint]]:
    """Return what makes an endpoint on some terms."""
    made: list[Issuer] = []

    def making(**terms: Any) -> IntrospectionEndpoint:
        known = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
        settings = Settings(**({"issuer": fake_issuer.issuer_url()} | known | terms))
        made.append(Issuer(settings.trusted_issuers[0], client=client, clock=issuer_clock, cache=cache))
        return made[-1].introspection

    yield making
    for remote in made:
        io_loop.run_sync(remote.close)
