"""Fixtures for anybody's tests: a fake issuer in the state of its start, at a URL of its own.

One server lasts for the whole run, each process of pytest-xdist having its own; what a test did to it is undone
before the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakeissuer.server.running_issuer import RunningIssuer


@pytest.fixture(scope="session")
def _fake_issuer_server() -> Iterator[RunningIssuer]:
    # Every run of pytest loads this plugin, most of them without needing it: the rest is loaded with the first test.
    from fakeissuer import running  # noqa: PLC0415 - as said

    with running() as issuer:
        yield issuer


@pytest.fixture
def fake_issuer(_fake_issuer_server: RunningIssuer) -> RunningIssuer:
    """Return a running fake issuer, as at start."""
    _fake_issuer_server.reset()
    return _fake_issuer_server


@pytest.fixture
def fake_issuer_url(fake_issuer: RunningIssuer) -> str:
    """Return the URL of the fake issuer; its servers are below, `/oauth2/default` the first of them."""
    return fake_issuer.url
