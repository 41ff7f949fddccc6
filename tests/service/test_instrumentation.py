"""The callbacks of an instrumentation, called by an application over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from recording_instrumentation import RecordingInstrumentation
from tornado.httpclient import AsyncHTTPClient
from tornado.ioloop import IOLoop

from fakeissuer import RunningIssuer
from service import ResourceServerApplication, Settings, make_app
from service.instrumentation import Instrumentation, Observers


@pytest.fixture
def instrumentation() -> RecordingInstrumentation:
    return RecordingInstrumentation()


@pytest.fixture
def app(
    fake_issuer: RunningIssuer, io_loop: IOLoop, instrumentation: RecordingInstrumentation
) -> Iterator[ResourceServerApplication]:
    # No server listens at the address of the shared cache.
    terms = {"issuer": fake_issuer.issuer_url(), "cache_url": "redis://127.0.0.1:1", "cache_secret": "s" * 32}
    settings = Settings(**terms)  # type: ignore[arg-type]  # all of it are texts
    service = make_app(settings, instrumentation=instrumentation)
    yield service
    io_loop.run_sync(service.close)


@pytest.fixture
def call(http_client: AsyncHTTPClient, base_url: str) -> Callable[..., Any]:
    async def send(path: str, token: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return (await http_client.fetch(base_url + path, headers=headers, raise_error=False)).code

    return send


@pytest.mark.gen_test
async def test_responses_issuer_requests_and_cache_errors_are_reported(
    instrumentation: RecordingInstrumentation, call: Callable[..., Any], fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("keys", status=500, times=1)
    token, issuer = fake_issuer.token(), fake_issuer.issuer_url()
    for path, presented in (
        ("/api/hello", None),
        ("/api/whoami", None),
        ("/api/whoami", token),
        ("/nowhere", token),
        ("/api/whoami", "a.b.c"),
    ):
        await call(path, presented)
    assert [
        ("GET", 200, None),
        ("GET", 401, "missing_token"),
        ("GET", 503, "issuer_unavailable"),
        ("GET", 404, None),
        ("GET", 401, "malformed_token"),
    ] == instrumentation.responses
    assert [
        (f"{issuer}/.well-known/openid-configuration", "200"),
        (f"{issuer}/v1/keys", "500"),
    ] == instrumentation.issuer_requests
    assert ["/api/hello", "/api/whoami", "/api/whoami", None, "/api/whoami"] == instrumentation.routes
    assert [
        ("JWTValidator", issuer, "unavailable", "issuer_unavailable"),
        ("", "", "rejected", "malformed_token"),
    ] == instrumentation.validations
    assert instrumentation.cache_errors >= 1


@pytest.mark.gen_test
async def test_an_issuer_request_without_a_response_is_reported_as_failed(
    instrumentation: RecordingInstrumentation, call: Callable[..., Any], fake_issuer: RunningIssuer
) -> None:
    fake_issuer.fail("discovery", drop=True)
    assert 503 == await call("/api/whoami", fake_issuer.token())
    assert {"failed"} == {outcome for _, outcome in instrumentation.issuer_requests}


def test_each_event_reaches_each_receiver() -> None:
    receivers = [RecordingInstrumentation(), RecordingInstrumentation()]
    observers: Instrumentation = Observers(receivers[0], None, receivers[1])
    observers.on_response(method="GET", status=200, seconds=0.0, reason=None, route="/", scheme="http")
    observers.on_validation(validator="V", issuer="", outcome="accepted", reason="", seconds=0.0)
    observers.on_issuer_request(url="https://issuer.example", outcome="200", seconds=0.0)
    observers.on_cache_error()
    for receiver in receivers:
        assert [("GET", 200, None)] == receiver.responses
        assert [("https://issuer.example", "200")] == receiver.issuer_requests
        assert [("V", "", "accepted", "")] == receiver.validations
        assert 1 == receiver.cache_errors


def test_a_receiver_that_does_not_inherit_the_interface_is_rejected() -> None:
    with pytest.raises(TypeError, match=r"object does not inherit service\.Instrumentation"):
        Observers(object())  # type: ignore[arg-type]  # the mistake
