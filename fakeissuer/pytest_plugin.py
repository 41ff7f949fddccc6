"""pytest fixtures: a fake issuer in its initial state, and its URL.

The server starts once per process and profile, so every pytest-xdist worker has its own, and is reset before each test.
``@pytest.mark.fake_issuer_profile("keycloak")`` chooses another profile than Okta's.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fakeissuer.profiles.names import ProfileName
    from fakeissuer.server.dpop_client import DPoPClient
    from fakeissuer.server.running_issuer import RunningIssuer

_MARKER = "fake_issuer_profile"


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", f"{_MARKER}(name): the authorization server that fake_issuer imitates")


@pytest.fixture(scope="session")
def _fake_issuer_servers() -> Iterator[Callable[[ProfileName], RunningIssuer]]:
    from fakeissuer import running  # noqa: PLC0415  # most runs of pytest load this plugin without using it

    started: dict[ProfileName, RunningIssuer] = {}
    with ExitStack() as stack:

        def server(profile: ProfileName) -> RunningIssuer:
            if profile not in started:
                started[profile] = stack.enter_context(running(profile=profile))
            return started[profile]

        yield server


@pytest.fixture
def fake_issuer(
    request: pytest.FixtureRequest, _fake_issuer_servers: Callable[[ProfileName], RunningIssuer]
) -> RunningIssuer:
    """Return a running fake issuer in its initial state."""
    marker = request.node.get_closest_marker(_MARKER)
    issuer = _fake_issuer_servers("okta" if marker is None else marker.args[0])
    issuer.reset()
    return issuer


@pytest.fixture
def dpop_client(fake_issuer: RunningIssuer) -> DPoPClient:
    """Return a client with a DPoP key, whose proofs have the time of the fake issuer."""
    from fakeissuer import DPoPClient  # noqa: PLC0415  # as above

    return DPoPClient(now=fake_issuer.clock.now)


@pytest.fixture
def fake_issuer_url(fake_issuer: RunningIssuer) -> str:
    """Return the base URL of the fake issuer; the default server is at ``/oauth2/default`` below it."""
    return fake_issuer.url
