"""Every kind of fault at the four endpoints that an API uses, observed over a real socket."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from seeded_clients import API, SERVICE
from tornado.iostream import IOStream

from fakeissuer.handlers.base.fault_injection import FaultInjector
from fakeissuer.responses.reply import Reply
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.state.faults import KINDS, Fault

ENDPOINTS = ("discovery", "keys", "token", "introspect")


@pytest.fixture(params=ENDPOINTS)
def endpoint(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def call(fake_issuer: RunningIssuer, ask: Callable[..., Any], endpoint: str) -> Callable[[], Any]:
    """Call the endpoint with a valid request."""
    issuer = fake_issuer.issuer_url()
    token = fake_issuer.token()
    calls: dict[str, Callable[[], Any]] = {
        "discovery": lambda: ask(f"{issuer}/.well-known/openid-configuration"),
        "keys": lambda: ask(f"{issuer}/v1/keys"),
        "token": lambda: ask(
            f"{issuer}/v1/token",
            "POST",
            form={"grant_type": "client_credentials"},
            client=SERVICE,
        ),
        "introspect": lambda: ask(f"{issuer}/v1/introspect", "POST", form={"token": token}, client=API),
    }
    return calls[endpoint]


def test_status_is_sent_with_its_headers_and_body(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, status=503, headers={"Retry-After": "7"}, body={"keys": []}, times=1)
    response = call()
    assert (response.status, response.headers["Retry-After"], response.json()) == (503, "7", {"keys": []})
    assert call().status == 200


def test_status_without_a_body_gets_an_okta_error_body(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, status=429, times=1)
    response = call()
    assert (response.status, response.json()["errorCode"]) == (429, "E0000047")
    assert call().status == 200


def test_a_success_status_has_no_body(fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]) -> None:
    fake_issuer.fail(endpoint, status=204, times=1)
    response = call()
    assert (response.status, response.body) == (204, b"")


def test_refuse_sends_the_named_error_with_the_common_headers(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, refuse="network_zone", times=1)
    response = call()
    assert (response.status, response.json()["error"]) == (403, "access_denied")
    assert response.headers["x-okta-request-id"] is not None
    assert call().status == 200


def test_a_text_body_is_sent_unchanged(fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]) -> None:
    fake_issuer.fail(endpoint, status=200, headers={"content-type": "text/html"}, body="<html>", times=1)
    response = call()
    assert (response.status, response.headers.get_all("Content-Type"), response.body) == (200, ["text/html"], b"<html>")


def test_delay_precedes_the_normal_response(fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]) -> None:
    fake_issuer.fail(endpoint, delay=0.2, times=1)
    started = time.monotonic()
    assert call().status == 200
    assert time.monotonic() - started >= 0.2


def test_drop_closes_the_connection_without_a_response(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, drop=True, times=1)
    with pytest.raises(http.client.RemoteDisconnected):
        call()
    assert fake_issuer.requests(endpoint).requests[-1].status is None
    assert call().status == 200


@pytest.mark.parametrize("size", [True, 0, 5])
def test_truncate_sends_less_than_the_content_length(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any], *, size: bool | int
) -> None:
    fake_issuer.fail(endpoint, truncate=size, times=1)
    with pytest.raises(http.client.IncompleteRead) as caught:
        call()
    assert caught.value.expected is not None
    assert caught.value.expected > 0
    if size is not True:
        assert len(caught.value.partial) == size
    assert call().status == 200


def test_garbage_is_invalid_json_with_the_media_type_of_json(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, garbage=True, times=1)
    response = call()
    assert (response.status, response.headers["Content-Type"]) == (200, "application/json")
    with pytest.raises(ValueError, match=r"codec|JSON|Expecting"):
        response.json()
    assert call().status == 200


def test_empty_sends_no_body(fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]) -> None:
    fake_issuer.fail(endpoint, empty=True, times=1)
    response = call()
    assert (response.status, response.body) == (200, b"")
    assert call().status == 200


def test_redirect_points_to_a_url_or_to_the_request_itself(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, redirect="https://elsewhere.test/", times=1)
    fake_issuer.fail(endpoint, redirect=True, times=1)
    responses = [call(), call(), call()]
    assert [response.status for response in responses] == [302, 302, 200]
    assert responses[0].headers["Location"] == "https://elsewhere.test/"
    assert responses[1].headers["Location"].startswith(fake_issuer.url)


def test_huge_pads_the_normal_response(fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]) -> None:
    fake_issuer.fail(endpoint, huge=3_000_000, times=1)
    response = call()
    assert len(response.body) == 3_000_000
    assert response.json().keys() == call().json().keys()


def test_gzip_bomb_inflates_to_the_configured_size(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, gzip_bomb=3_000_000, times=1)
    response = call()
    assert response.headers["Content-Encoding"] == "gzip"
    assert len(response.body) < 30_000
    unpacked = gzip.decompress(response.body)
    assert len(unpacked) == 3_000_000
    assert json.loads(unpacked).keys() == call().json().keys()


def test_drip_sends_the_normal_response_byte_by_byte(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, drip=0.0001, times=1)
    assert call().json().keys() == call().json().keys()


def test_content_type_changes_only_the_media_type(
    fake_issuer: RunningIssuer, endpoint: Any, call: Callable[[], Any]
) -> None:
    fake_issuer.fail(endpoint, content_type="text/html", times=1)
    response = call()
    assert (response.status, response.headers["Content-Type"]) == (200, "text/html")
    assert response.json().keys() == call().json().keys()


def test_every_kind_of_fault_has_a_test() -> None:
    names = " ".join(name for name in globals() if name.startswith("test_"))
    assert [kind for kind in KINDS if f"test_{kind}" not in names] == []


def test_dripped_bytes_arrive_separately(fake_issuer: RunningIssuer) -> None:
    """A read returns the head and the bytes sent so far, never the whole body."""
    fake_issuer.fail("keys", drip=0.05)
    parts = urlsplit(fake_issuer.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as client:
        client.sendall(b"GET /oauth2/default/v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        seen = b""
        while b'{"ke' not in seen:
            seen += client.recv(65_536)
            assert len(seen.partition(b"\r\n\r\n")[2]) < 50


@pytest.mark.parametrize("fault", [{"delay": 60}, {"drip": 60}, {"huge": 2**30}])
def test_a_running_fault_does_not_delay_the_stop_of_the_issuer(fault: dict[str, Any]) -> None:
    with running() as issuer:
        issuer.fail("keys", **fault)
        parts = urlsplit(issuer.url)
        client = socket.create_connection((parts.hostname, parts.port), timeout=5)
        client.sendall(b"GET /oauth2/default/v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while issuer.requests("keys").count == 0:
            time.sleep(0.001)
        started = time.monotonic()
    assert time.monotonic() - started < 5
    client.close()


def test_a_client_may_disconnect_during_a_fault(fake_issuer: RunningIssuer, ask: Callable[..., Any]) -> None:
    fake_issuer.fail("keys", huge=2**28, times=1)
    parts = urlsplit(fake_issuer.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as client:
        client.sendall(b"GET /oauth2/default/v1/keys HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        client.recv(10)
    assert ask(f"{fake_issuer.issuer_url()}/v1/keys").status == 200


@pytest.mark.gen_test
async def test_a_cancelled_fault_closes_its_stream() -> None:
    ours, theirs = socket.socketpair()
    stream, injector = IOStream(ours), FaultInjector()
    fault = Fault(endpoint="keys", drip=3600)
    dripping = asyncio.create_task(injector.send_faulty(stream, Reply(200, b"{}"), fault))
    await asyncio.sleep(0)
    dripping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dripping
    assert stream.closed()
    await injector.stop()
    theirs.close()
