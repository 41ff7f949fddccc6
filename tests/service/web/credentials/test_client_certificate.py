from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from requesting import request
from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.settings.groups.binding import BindingSettings
from service.tokens.binding.thumbprint import encode_sha256
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.client_certificate import certificate_source

DER = b"\x30\x03\x02\x01\x05"
OTHER = b"\x30\x03\x02\x01\x06"
XFCC = "X-Forwarded-Client-Cert"


def _received(*fields: str, certificate: bytes | None = None, is_open: bool = True) -> HTTPServerRequest:
    """Return a request that has arrived from 10.0.0.1, over TLS with this certificate."""
    made = request(*fields)
    made.remote_ip = "10.0.0.1"
    connection = SimpleNamespace(getpeercert=lambda *, binary_form: certificate if binary_form else {})
    stream: Any = SimpleNamespace(socket=connection if is_open else None)
    made.server_connection = SimpleNamespace(stream=stream)
    return made


def _source(header: str | None = None, client_ca: str | None = None) -> Any:
    settings = BindingSettings.model_construct(client_certificate_header=header, client_ca=client_ca)
    return certificate_source(settings)


def test_without_a_source_nothing_is_read() -> None:
    assert _source() is None


@pytest.mark.parametrize(
    ("header", "client_ca", "proxy", "expected"),
    [
        (XFCC.lower(), None, "10.0.0.1", OTHER),
        (XFCC.lower(), "ca.pem", "10.0.0.1", OTHER),
        (None, "ca.pem", "10.0.0.1", None),
        (XFCC.lower(), None, "10.0.0.2", None),
        (XFCC.lower(), "ca.pem", "10.0.0.2", DER),
        (None, "ca.pem", "10.0.0.2", DER),
    ],
)
def test_a_trusted_proxy_reports_the_certificate_and_any_other_peer_shows_it(
    header: str | None, client_ca: str | None, proxy: str, expected: bytes | None
) -> None:
    received = _received(f"{XFCC}: Hash={hashlib.sha256(OTHER).hexdigest()}", certificate=DER)
    TrustedProxies([proxy]).read(received)
    found = _source(header, client_ca)(received)
    assert found == (expected and encode_sha256(expected))


@pytest.mark.parametrize("options", [{}, {"is_open": False}])
def test_a_connection_may_have_no_certificate(options: dict[str, Any]) -> None:
    assert _source(client_ca="ca.pem")(_received(**options)) is None


def test_a_request_of_another_server_has_no_certificate() -> None:
    assert _source(client_ca="ca.pem")(request()) is None


def test_a_proxy_may_report_no_certificate() -> None:
    received = _received(certificate=DER)
    TrustedProxies(["10.0.0.1"]).read(received)
    assert _source(XFCC.lower(), "ca.pem")(received) is None


@pytest.mark.parametrize("fields", [[f"{XFCC}: abc"], [f"{XFCC}: Hash={'0' * 64}"] * 2])
def test_a_malformed_or_repeated_field_of_a_proxy_is_rejected(fields: list[str]) -> None:
    received = _received(*fields)
    TrustedProxies(["10.0.0.1"]).read(received)
    with pytest.raises(InvalidRequest) as rejection:
        _source(XFCC.lower())(received)
    assert Reason.MALFORMED_CERTIFICATE is rejection.value.reason
    assert "0000" not in str(rejection.value)
