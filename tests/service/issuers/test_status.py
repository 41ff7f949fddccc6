"""What the state of an issuer says of its parts, while the issuer works and while it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fakeissuer import RunningIssuer
from service.clock import ManualClock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient
from service.issuers.introspection import IntrospectionEndpoint
from service.issuers.keys import RemoteKeySet
from service.issuers.refreshing import RefreshPolicy
from service.issuers.status import (
    CREDENTIALS_REJECTED,
    INTROSPECTION_FAILING,
    KEYS_MISSING,
    KEYS_STALE,
    PROBLEMS,
    REFRESH_FAILING,
    IssuerStatus,
)

ISSUER = "https://issuer.example"


def _status(*, keys: RemoteKeySet | None = None, endpoint: IntrospectionEndpoint | None = None) -> IssuerStatus:
    return IssuerStatus.of(ISSUER, keys=keys, endpoint=endpoint, responses=None)


def test_an_issuer_without_parts_has_neither_state_nor_problem() -> None:
    assert {"issuer": ISSUER, "problems": []} == _status().describe()


@pytest.mark.gen_test
async def test_keys_that_cannot_be_fetched_become_a_greater_problem_with_their_age(
    fake_issuer: RunningIssuer, client: JSONClient, clock: ManualClock
) -> None:
    policy = RefreshPolicy(min_age=0.0, max_age_limit=100.0, stale_if_error=1000.0)
    keys = RemoteKeySet(fake_issuer.issuer_url(), client=client, clock=clock, policy=policy)
    assert ("none", (), None) == _keys(keys)
    await keys.check_ready()
    assert ("fresh", (), 0.0) == _keys(keys)
    fake_issuer.fail("keys", status=500)
    for advance, expected in (
        (50.0, ("fresh", (REFRESH_FAILING,), 50.0)),
        (100.0, ("stale", (KEYS_STALE,), 150.0)),
        (1000.0, ("none", (KEYS_MISSING,), 1150.0)),
    ):
        clock.advance(advance)
        with pytest.raises(IssuerUnavailable):
            await keys.refresh_now()
        assert expected == _keys(keys)
    described = _status(keys=keys).describe()["keys"]
    assert ("none", True) == (described["state"], "500" in described["last_error"])
    fake_issuer.clear_faults()
    await keys.refresh_now()
    assert ("fresh", (), 0.0) == _keys(keys)
    assert {"succeeded": 2, "failed": 3} == dict(_status(keys=keys).refreshes)


def _keys(keys: RemoteKeySet) -> tuple[str | None, tuple[str, ...], float | None]:
    status = _status(keys=keys)
    return status.keys, status.problems, status.keys_age


@pytest.mark.parametrize(("status", "problem"), [(401, CREDENTIALS_REJECTED), (500, INTROSPECTION_FAILING)])
@pytest.mark.gen_test
async def test_introspection_that_fails_is_paused_and_says_why(
    connect: Callable[..., IntrospectionEndpoint], fake_issuer: RunningIssuer, status: int, problem: str
) -> None:
    endpoint = connect()
    assert ((), "available") == _introspection(endpoint)
    fake_issuer.fail("introspect", status=status)
    for number in range(20):
        with pytest.raises(IssuerUnavailable):
            await endpoint.introspect(f"opaque-{number}")
    assert ((problem,), "paused") == _introspection(endpoint)
    assert str(status) in _status(endpoint=endpoint).describe()["introspection"]["last_error"]


def _introspection(endpoint: IntrospectionEndpoint) -> tuple[tuple[str, ...], str]:
    status = _status(endpoint=endpoint)
    return status.problems, status.describe()["introspection"]["state"]


def test_each_problem_has_a_name_of_its_own() -> None:
    assert len(set(PROBLEMS)) == len(PROBLEMS) == 5
