from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service.caches.shared import SharedCache
from service.caches.tokens import ValidatedTokenCache
from service.clock import ManualClock
from service.issuers.client import JSONClient
from service.settings.issuers import TrustedIssuer
from service.settings.program import Settings
from service.validators.base import ValidatorContext


@pytest.fixture
def clock(fake_issuer: RunningIssuer) -> ManualClock:
    """A clock with the issuer's time, which is frozen."""
    fake_issuer.clock.freeze()
    return ManualClock(fake_issuer.clock.now())


@pytest.fixture
def context(
    io_loop: IOLoop, clock: ManualClock, token_cache: ValidatedTokenCache, cache: SharedCache
) -> Iterator[ValidatorContext]:
    client = JSONClient()
    context = ValidatorContext(client=client, clock=clock, token_cache=token_cache, cache=cache)
    yield context
    for issuer in context.issuers.values():
        io_loop.run_sync(issuer.close)
    io_loop.run_sync(cache.close)
    client.close()


@pytest.fixture
def trusted(fake_issuer: RunningIssuer) -> Callable[..., TrustedIssuer]:
    """Return a function that builds the settings of the fake issuer, by default with valid credentials."""

    def trust(**overrides: Any) -> TrustedIssuer:
        defaults = {"client_id": "0oaapi00000000000001", "client_secret": "api-secret-for-tests-only-00000000001"}
        return Settings(**({"issuer": fake_issuer.issuer_url()} | defaults | overrides)).trusted_issuers[0]

    return trust
