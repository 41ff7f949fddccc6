from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any

import pytest
from requesting import request

from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.proxy_headers import is_from_trusted_proxy

PROXIES = TrustedProxies(["10.0.0.0/8", "fd00::/8"])

ROWS = {
    "no header": ([], ("10.0.0.1", "http", "api.example")),
    "one client": (["X-Forwarded-For: 192.0.2.1"], ("192.0.2.1", "http", "api.example")),
    "a forged entry to the left": (["X-Forwarded-For: 9.9.9.9, 192.0.2.1"], ("192.0.2.1", "http", "api.example")),
    "two proxies": (["X-Forwarded-For: 9.9.9.9, 192.0.2.1, 10.0.0.2"], ("192.0.2.1", "http", "api.example")),
    "two lines": (["X-Forwarded-For: 9.9.9.9", "X-Forwarded-For: 192.0.2.1"], ("192.0.2.1", "http", "api.example")),
    "a port": (["X-Forwarded-For: 192.0.2.1:4711"], ("192.0.2.1", "http", "api.example")),
    "an IPv6 port": (["X-Forwarded-For: [2001:db8::1]:4711"], ("2001:db8::1", "http", "api.example")),
    "a mapped address": (["X-Forwarded-For: ::ffff:192.0.2.1"], ("192.0.2.1", "http", "api.example")),
    "an empty item": (["X-Forwarded-For: 9.9.9.9,"], ("10.0.0.1", "http", "api.example")),
    "scheme and host": (
        ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: HTTPS", "X-Forwarded-Host: a.example:8443"],
        ("192.0.2.1", "https", "a.example:8443"),
    ),
    "a WebSocket scheme": (["X-Forwarded-Proto: wss"], ("10.0.0.1", "https", "api.example")),
    "a forged scheme to the left": (["X-Forwarded-Proto: https, http"], ("10.0.0.1", "http", "api.example")),
    "a scheme of each proxy": (
        ["X-Forwarded-For: 192.0.2.1, 10.0.0.2", "X-Forwarded-Proto: https, http"],
        ("192.0.2.1", "https", "api.example"),
    ),
    "malformed scheme and host": (
        ["X-Forwarded-Proto: gopher", "X-Forwarded-Host: a b"],
        ("10.0.0.1", "http", "api.example"),
    ),
    "Forwarded": (
        ['Forwarded: for="[2001:db8::1]:4711";proto=https;host="a.example"'],
        ("2001:db8::1", "https", "a.example"),
    ),
    "Forwarded with spaces": (
        ["Forwarded: For=9.9.9.9 , FOR=192.0.2.1 ; Proto=https"],
        ("192.0.2.1", "https", "api.example"),
    ),
    "Forwarded of two proxies": (
        ["Forwarded: for=192.0.2.1;proto=https, for=10.0.0.2;host=a.example"],
        ("192.0.2.1", "https", "a.example"),
    ),
    "a hidden client": (["Forwarded: for=9.9.9.9, for=_hidden;proto=https"], ("10.0.0.1", "https", "api.example")),
    "an unknown client": (["Forwarded: for=9.9.9.9, for=unknown"], ("10.0.0.1", "http", "api.example")),
    "an open quote of the client": (
        ['Forwarded: for=9.9.9.9;x=", for=192.0.2.1'],
        ("10.0.0.1", "http", "api.example"),
    ),
    "an open quote on another line": (
        ['Forwarded: for=9.9.9.9;x="', "Forwarded: for=192.0.2.1"],
        ("192.0.2.1", "http", "api.example"),
    ),
    "a parameter twice": (["Forwarded: for=9.9.9.9;for=192.0.2.1"], ("10.0.0.1", "http", "api.example")),
    "brackets without IPv6": (["Forwarded: for=[192.0.2.1]"], ("10.0.0.1", "http", "api.example")),
    "an IPv6 zone": (["X-Forwarded-For: fe80::1%x"], ("10.0.0.1", "http", "api.example")),
    "a passed-on Forwarded": (
        ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.1;proto=https;host=evil.example"],
        ("192.0.2.1", "http", "api.example"),
    ),
    "two headers that differ": (
        ["X-Forwarded-For: 192.0.2.1", "Forwarded: for=9.9.9.9"],
        ("10.0.0.1", "http", "api.example"),
    ),
    "two headers that agree": (
        ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1;proto=https"],
        ("192.0.2.1", "https", "api.example"),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), ROWS.values(), ids=ROWS.keys())
def test_address_scheme_and_host_are_those_that_trusted_proxies_report(
    fields: list[str], expected: tuple[str, str, str]
) -> None:
    received = request(*fields)
    received.remote_ip = "10.0.0.1"
    received.protocol = "http"
    for _ in range(2):
        PROXIES.read(received)
        assert expected == (received.remote_ip, received.protocol, received.host)
    assert expected[2] == received.headers["Host"]
    assert is_from_trusted_proxy(received)


@pytest.mark.parametrize("peer", ["192.0.2.9", "2001:db8::9", "0.0.0.0", "", None])
def test_another_peer_cannot_set_anything(peer: str | None) -> None:
    received = request("X-Forwarded-For: 9.9.9.9", "X-Forwarded-Proto: https", "Forwarded: host=evil.example")
    received.remote_ip, received.protocol = peer, "http"
    PROXIES.read(received)
    assert (peer, "http", "api.example") == (received.remote_ip, received.protocol, received.host)
    assert not is_from_trusted_proxy(received)


def test_a_peer_at_a_socket_for_both_protocols_is_compared_as_ipv4() -> None:
    received = request("X-Forwarded-For: 192.0.2.1")
    received.remote_ip = "::ffff:10.0.0.1"
    PROXIES.read(received)
    assert "192.0.2.1" == received.remote_ip


@pytest.mark.parametrize(("proxies", "address"), [(["unix"], "192.0.2.1"), (["0.0.0.0/8"], "0.0.0.0")])  # compared
def test_a_peer_at_a_unix_socket_is_trusted_by_name_only(proxies: list[str], address: str) -> None:
    received = request("X-Forwarded-For: 192.0.2.1")
    connection: Any = received.connection
    connection.context = SimpleNamespace(address_family=socket.AF_UNIX)
    received.remote_ip = "0.0.0.0"  # as Tornado reports it
    TrustedProxies(proxies).read(received)
    assert (address, proxies == ["unix"]) == (received.remote_ip, is_from_trusted_proxy(received))
