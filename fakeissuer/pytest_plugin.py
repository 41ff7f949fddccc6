"""pytest fixtures: a fake issuer in its initial state, and its URL.

The server starts once per process, so every pytest-xdist worker has its own, and is reset before each test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakeissuer.server.dpop_client import DPoPClient
    from fakeissuer.server.running_issuer import RunningIssuer


@pytest.fixture(scope="session")
def _fake_issuer_server() -> Iterator[RunningIssuer]:
    from fakeissuer import running  # noqa: PLC0415  # most runs of pytest load this plugin without using it

    with running() as issuer:
        yield issuer


@pytest.fixture
def fake_issuer(_fake_issuer_server: RunningIssuer) -> RunningIssuer:
    """Return a running fake issuer in its initial state."""
    _fake_issuer_server.reset()
    return _fake_issuer_server


@pytest.fixture
def dpop_client(fake_issuer: RunningIssuer) -> DPoPClient:
    """Return a client with a DPoP key, whose proofs have the time of the fake issuer."""
    from fakeissuer import DPoPClient  # noqa: PLC0415  # as above

    return DPoPClient(now=fake_issuer.clock.now)


@pytest.fixture
def fake_issuer_url(fake_issuer: RunningIssuer) -> str:
    """Return the base URL of the fake issuer; the default server is at ``/oauth2/default`` below it."""
    return fake_issuer.url
