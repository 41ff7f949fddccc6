from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from fakeissuer.control.access import ControlGuard

GUARD = ControlGuard(allowed_hosts=frozenset({"issuer.test"}))


ORIGINS = [
    ("http", "http://issuer.test", None),
    ("http", "https://issuer.test", None),  # a proxy ends TLS
    ("https", "https://issuer.test", None),
    ("https", "http://issuer.test", 403),
    ("https", "ftp://issuer.test", 403),
]


def request(remote_ip: str = "127.0.0.1", host: str = "127.0.0.1:9400", **headers: str) -> HTTPServerRequest:
    made = HTTPServerRequest(
        start_line=RequestStartLine("GET", "/_fake/", "HTTP/1.1"), headers=HTTPHeaders({"Host": host, **headers})
    )
    made.remote_ip = remote_ip
    return made


@pytest.mark.parametrize("host", ["127.0.0.1:9400", "localhost", "[::1]:9400", "issuer.test"])
def test_this_machine_has_access(host: str) -> None:
    assert GUARD.check_access(request(host=host)) is None


@pytest.mark.parametrize("remote_ip", ["10.0.0.1", "192.168.1.7", "2001:db8::1", "0.0.0.0", ""])
def test_other_machines_are_rejected(remote_ip: str) -> None:
    check_access = GUARD.check_access(request(remote_ip))
    assert check_access is not None
    assert check_access[0] == 403


@pytest.mark.parametrize(("protocol", "origin", "status"), ORIGINS)
def test_a_page_without_tls_is_no_page_of_an_issuer_with_tls(protocol: str, origin: str, status: int | None) -> None:
    received = request(host="issuer.test", Origin=origin)
    received.protocol = protocol
    rejection = GUARD.check_access(received)
    assert status == (None if rejection is None else rejection[0])


def test_a_token_gives_other_machines_access() -> None:
    guard = ControlGuard(allowed_hosts=frozenset(), token="sécret")
    assert guard.check_access(request("10.0.0.1", Authorization="Bearer sécret")) is None
    for shown in ("Bearer wrong", "Basic sécret", "", "Bearer é"):
        check_access = guard.check_access(request(Authorization=shown))
        assert check_access is not None
        assert check_access[0] == 401


def test_the_repr_omits_the_token() -> None:
    assert "hidden" not in repr(ControlGuard(allowed_hosts=frozenset(), token="hidden"))
