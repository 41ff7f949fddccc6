from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.credentials.certificate_fields import read_certificate_field

DER = b"\x30\x82\x01\x00" + bytes(range(256))
OTHER = b"\x30\x03\x02\x01\x05"
HASH = hashlib.sha256(DER).hexdigest()


def _thumbprint(der: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()


def _base64(der: bytes) -> str:
    return base64.b64encode(der).decode()


def _pem(der: bytes, newline: str = "\n") -> str:
    body = re.sub("(.{64})", rf"\1{newline}", _base64(der))
    return f"-----BEGIN CERTIFICATE-----{newline}{body}{newline}-----END CERTIFICATE-----{newline}"


def _escaped(der: bytes, safe: str = "") -> str:
    return urllib.parse.quote(_pem(der), safe=safe)


OWN = {
    "a byte sequence": ("client-cert", f":{_base64(DER)}:"),
    "a byte sequence without padding": ("client-cert", f":{_base64(DER).rstrip('=')}:"),
    "spaces around it": ("client-cert", f"  :{_base64(DER)}: "),
    "escaped PEM": ("x-ssl-client-cert", _escaped(DER)),
    "escaped PEM with a plus as it is": ("x-amzn-mtls-clientcert", _escaped(DER, safe="+=/")),
    "a chain, the client's first": ("x-amzn-mtls-clientcert", _escaped(DER) + _escaped(OTHER)),
    "PEM with spaces": ("x-client-cert", _pem(DER, " ")),
    "base64": ("x-client-cert", _base64(DER)),
    "Envoy's hash": ("x-forwarded-client-cert", f"Hash={HASH}"),
    "Envoy's hash in upper case": ("x-forwarded-client-cert", f"hash={HASH.upper()}"),
    "Envoy's certificate": ("x-forwarded-client-cert", f'Cert="{_escaped(DER)}"'),
    "both": ("x-forwarded-client-cert", f'By=spiffe://a;By=spiffe://b;Hash={HASH};Cert="{_escaped(DER)}";URI=x?a=b'),
    "the last element": ("x-forwarded-client-cert", f'Hash={"0" * 64};Subject="a,Hash=\\"b;" , By=;Hash={HASH};DNS=a'),
}
MALFORMED = {
    "no byte sequence": ("client-cert", _base64(DER)),
    "escaped PEM in the field of RFC 9440": ("client-cert", _escaped(DER)),
    "two byte sequences": ("client-cert", f":{_base64(DER)}:, :{_base64(DER)}:"),
    "a parameter": ("client-cert", f":{_base64(DER)}:;a=1"),
    "an open byte sequence": ("client-cert", f":{_base64(DER)}"),
    "an empty byte sequence": ("client-cert", "::"),
    "too much padding": ("client-cert", f":{_base64(OTHER)}====:"),
    "an impossible length of base64": ("client-cert", ":AAAAA:"),
    "no DER": ("client-cert", f":{_base64(b'certificate')}:"),
    "DER that is cut off": ("client-cert", f":{_base64(DER[:-1])}:"),
    "DER with more behind it": ("client-cert", f":{_base64(OTHER + b'x')}:"),
    "a tag alone": ("client-cert", f":{_base64(DER[:1])}:"),
    "a text": ("x-ssl-client-cert", "SUCCESS"),
    "a distinguished name": ("x-ssl-client-cert", "CN=client.example"),
    "a plus that was decoded to a space": ("x-ssl-client-cert", "MAMC AQU="),
    "two values": ("x-ssl-client-cert", f"{_base64(DER)},{_base64(DER)}"),
    "PEM of something else": ("x-ssl-client-cert", _escaped(DER).replace("CERTIFICATE", "PUBLIC%20KEY")),
    "PEM without an end": ("x-ssl-client-cert", _escaped(DER)[:200]),
    "PEM with text behind it": ("x-ssl-client-cert", _escaped(DER) + "x"),
    "PEM without content": ("x-ssl-client-cert", "-----BEGIN CERTIFICATE----- -----END CERTIFICATE-----"),
    "a wrong percent escape": ("x-ssl-client-cert", "%ZZ"),
    "bytes that are no ASCII": ("x-ssl-client-cert", "%FF%C3%A9"),
    "no pair": ("x-forwarded-client-cert", "abc"),
    "neither hash nor certificate": ("x-forwarded-client-cert", "By=spiffe://a;URI=spiffe://b"),
    "a hash in an element before the last one alone": ("x-forwarded-client-cert", f"Hash={HASH},URI=spiffe://b"),
    "two hashes": ("x-forwarded-client-cert", f"Hash={HASH};Hash={HASH}"),
    "two certificates": ("x-forwarded-client-cert", f'Cert="{_escaped(DER)}";cert="{_escaped(DER)}"'),
    "a hash of another certificate": ("x-forwarded-client-cert", f'Hash={HASH};Cert="{_escaped(OTHER)}"'),
    "a hash that is too short": ("x-forwarded-client-cert", f"Hash={HASH[:-1]}"),
    "an empty hash": ("x-forwarded-client-cert", "Hash="),
    "an empty last element": ("x-forwarded-client-cert", f"Hash={HASH},"),
    "an open quote of the client": ("x-forwarded-client-cert", f'Hash={"0" * 64};Subject=",Hash={HASH};Subject="CN=a"'),
    "a text behind a quote": ("x-forwarded-client-cert", f'Hash="{HASH}"0'),
}


@pytest.mark.parametrize("name", OWN)
def test_a_field_holds_a_certificate(name: str) -> None:
    assert _thumbprint(DER) == read_certificate_field(*OWN[name])


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_field_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_certificate_field(*MALFORMED[name])


@pytest.mark.parametrize("header", ["client-cert", "x-ssl-client-cert", "x-forwarded-client-cert"])
@pytest.mark.parametrize("value", ["", " ", "(null)"])
def test_a_field_without_a_value_holds_no_certificate(header: str, value: str) -> None:
    assert read_certificate_field(header, value) is None


CHUNKS = st.sampled_from(
    [":", ",", ";", "=", '"', "\\", " ", "%", "%2B", "+", "Hash=", "Cert=", "By=", HASH, _base64(OTHER),
     _escaped(OTHER), "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", "é", "\0", "%FF"]
)  # fmt: skip


@given(
    header=st.sampled_from(["client-cert", "x-ssl-client-cert", "x-forwarded-client-cert"]),
    value=st.lists(CHUNKS | st.text(max_size=3), max_size=12).map("".join),
)
def test_a_field_holds_a_certificate_or_none_or_is_malformed(header: str, value: str) -> None:
    with contextlib.suppress(ValueError):
        found = read_certificate_field(header, value)
        assert found is None or re.fullmatch("[A-Za-z0-9_-]{43}", found)


@given(
    client=st.lists(CHUNKS | st.text(max_size=3), max_size=12).map("".join),
    added=st.sampled_from([f"Hash={HASH}", f"By=spiffe://a/b;Hash={HASH}", f'Hash={HASH};Subject="/C=US/CN=a"']),
)
def test_what_a_client_sends_before_the_element_of_envoy_cannot_replace_it(client: str, added: str) -> None:
    with contextlib.suppress(ValueError):
        assert _thumbprint(DER) == read_certificate_field("x-forwarded-client-cert", f"{client},{added}")


@given(der=st.binary(max_size=300).map(lambda content: b"\x30\x82" + len(content).to_bytes(2) + content))
def test_each_encoding_of_a_certificate_has_its_thumbprint(der: bytes) -> None:
    expected = _thumbprint(der)
    assert expected == read_certificate_field("client-cert", f":{_base64(der)}:")
    for value in (_base64(der), _pem(der, " "), _escaped(der), _escaped(der, safe="+=/")):
        assert expected == read_certificate_field("x-ssl-client-cert", value)
