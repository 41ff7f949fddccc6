from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from requesting import request
from tornado.httputil import HTTPServerRequest

from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.external_url import external_url
from service.web.credentials.foreign_request import make_request

FORWARDED = ("X-Forwarded-Proto: https", "X-Forwarded-Host: api.example:8443")


def _received(
    *fields: str, uri: str = "/things?a=b", host: str = "127.0.0.1:8080", own: Any = ("127.0.0.1", 8080)
) -> HTTPServerRequest:
    """Return a request that has arrived at this address of ours, from 10.0.0.1."""
    made = request(*fields, uri=uri)
    made.host, made.remote_ip, made.protocol = host, "10.0.0.1", "http"
    connection: Any = made.connection
    connection.stream = SimpleNamespace(socket=SimpleNamespace(getsockname=lambda: own))
    return made


@pytest.mark.parametrize(
    ("public_url", "uri", "expected"),
    [
        ("https://api.example", "/things?a=b", "https://api.example/things"),
        ("https://api.example/", "/", "https://api.example/"),
        ("https://api.example:8443/v1", "/things", "https://api.example:8443/v1/things"),
        ("https://api.example/v1/", "/v1/things", "https://api.example/v1/things"),
        ("https://api.example/v1", "/v1", "https://api.example/v1"),
        ("https://api.example/v1", "/v1beta", "https://api.example/v1/v1beta"),
        ("https://api.example/v1", "/%76", "https://api.example/v1/%76"),
        ("https://api.example", "//evil.example/", "https://api.example//evil.example/"),
        ("https://api.example", "https://evil.example/things", None),
        ("https://api.example", "*", None),
    ],
)
def test_a_public_url_takes_precedence(public_url: str, uri: str, expected: str | None) -> None:
    received = _received(*FORWARDED, uri=uri)
    TrustedProxies(["10.0.0.0/8"]).read(received)
    assert expected == external_url(received, public_url)


def test_a_trusted_proxy_reports_scheme_and_host() -> None:
    received = _received(*FORWARDED)
    TrustedProxies(["10.0.0.0/8"]).read(received)
    assert "https://api.example:8443/things" == external_url(received, None)


@pytest.mark.parametrize("fields", [(), FORWARDED])
def test_another_peer_names_no_host(fields: tuple[str, ...]) -> None:
    received = _received(*fields, host="api.example", own=("192.0.2.1", 8080))
    TrustedProxies(["10.1.0.0/16"]).read(received)
    assert external_url(received, None) is None


LOOPBACK: dict[str, tuple[str, Any, str | None]] = {
    "its address": ("127.0.0.1:8080", ("127.0.0.1", 8080), "http://127.0.0.1:8080/things"),
    "its name": ("LocalHost:8080", ("127.0.0.1", 8080), "http://LocalHost:8080/things"),
    "IPv6": ("[::1]:8080", ("::1", 8080, 0, 0), "http://[::1]:8080/things"),
    "the default port": ("localhost", ("127.0.0.1", 80), "http://localhost/things"),
    "another port": ("localhost:9000", ("127.0.0.1", 8080), None),
    "a missing port": ("localhost", ("127.0.0.1", 8080), None),
    "a port out of range": ("localhost:99999", ("127.0.0.1", 8080), None),
    "open brackets": ("[::1:8080", ("127.0.0.1", 8080), None),
    "a name that a rebinding attacker chooses": ("evil.example:8080", ("127.0.0.1", 8080), None),
    "user information": ("evil.example@localhost:8080", ("127.0.0.1", 8080), None),
    "an address that others reach": ("localhost:8080", ("192.0.2.1", 8080), None),
    "a Unix socket": ("localhost:8080", "/run/api.sock", None),
}


@pytest.mark.parametrize(("host", "own", "expected"), LOOPBACK.values(), ids=LOOPBACK.keys())
def test_without_either_only_a_loopback_address_is_known(host: str, own: Any, expected: str | None) -> None:
    assert expected == external_url(_received(host=host, own=own), None)


@pytest.mark.parametrize("connection", [None, SimpleNamespace(stream=None), SimpleNamespace()])
def test_a_request_without_a_socket_has_no_known_url(connection: Any) -> None:
    received = make_request("GET", "http://127.0.0.1:8080/things")
    received.connection = connection
    assert external_url(received, None) is None


def test_a_real_socket_has_the_address_that_it_was_reached_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.create_connection(listening.getsockname()):
        accepted, _ = listening.accept()
        with accepted:
            host = f"localhost:{listening.getsockname()[1]}"
            received = _received(host=host)
            received.connection.stream.socket = accepted  # type: ignore[union-attr]  # as on Tornado's connections
            assert f"http://{host}/things" == external_url(received, None)
