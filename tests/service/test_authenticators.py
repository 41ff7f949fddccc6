from __future__ import annotations

from collections.abc import Iterator

import pytest
from recording_instrumentation import RecordingInstrumentation
from tornado.httputil import HTTPServerRequest
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import Guard, InvalidToken, IssuerUnavailable, Settings


@pytest.fixture
def instrumentation() -> RecordingInstrumentation:
    return RecordingInstrumentation()


@pytest.fixture
def guard(fake_issuer: RunningIssuer, io_loop: IOLoop, instrumentation: RecordingInstrumentation) -> Iterator[Guard]:
    guard = Guard(Settings(issuer=fake_issuer.issuer_url()), instrumentation=instrumentation)
    yield guard
    io_loop.run_sync(guard.close)


def _request(token: str) -> HTTPServerRequest:
    return Guard.request("GET", "https://api.example/", [("Authorization", f"Bearer {token}")])


@pytest.mark.gen_test
async def test_each_validation_is_reported_once_with_its_outcome(
    guard: Guard, fake_issuer: RunningIssuer, instrumentation: RecordingInstrumentation
) -> None:
    issuer = fake_issuer.issuer_url()
    fake_issuer.fail("keys", status=500, times=1)
    with pytest.raises(IssuerUnavailable):
        await guard.authenticate(_request(fake_issuer.token()))
    rejected = [fake_issuer.token(expires_in=-3600), fake_issuer.token(server="partner"), "opaque"]
    for each in rejected:
        with pytest.raises((InvalidToken, IssuerUnavailable)):
            await guard.authenticate(_request(each))
    reported = [
        ("JWTValidator", issuer, "unavailable", "issuer_unavailable"),
        ("", "", "rejected", "unknown_issuer"),
        ("", "", "rejected", "malformed_token"),
    ]
    assert set(reported) <= set(instrumentation.validations)
    assert 4 == len(instrumentation.validations)


@pytest.mark.gen_test
async def test_each_kind_of_validation_has_a_cache_of_its_own(guard: Guard, fake_issuer: RunningIssuer) -> None:
    authenticators = guard.context.authenticators
    assert authenticators.for_validation("") is authenticators.for_validation("")
    authenticators.for_validation("jwt")
    await guard.authenticate(_request(fake_issuer.token()))
    assert [1, 0] == [len(cache) for cache in authenticators.caches()]
