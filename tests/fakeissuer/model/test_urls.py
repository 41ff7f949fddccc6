from __future__ import annotations

import pytest

from fakeissuer.errors import SettingsError
from fakeissuer.model.servers import Server
from fakeissuer.model.urls import IssuerURLs, check_public_url, is_loopback, is_okta_domain

LISTENING, PUBLIC = "http://127.0.0.1:9400", "https://issuer.test"


@pytest.mark.parametrize(
    ("host", "is_oktas"),
    [
        ("okta.com", True),
        ("dev-1.okta.com", True),
        ("DEV-1.OKTA.COM.", True),
        ("x.oktapreview.com", True),
        ("x.okta-emea.com", True),
        ("x.okta-gov.com", True),
        ("x.okta.mil", True),
        ("x.trexcloud.com", True),
        ("notokta.com", False),
        ("okta.com.test", False),
        ("localhost", False),
    ],
)
def test_oktas_domains_are_recognized(host: str, *, is_oktas: bool) -> None:
    assert is_okta_domain(host) is is_oktas


@pytest.mark.parametrize(
    ("host", "loops"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("localhost.attacker.example", False),
        ("", False),
    ],
)
def test_loopback_hosts_are_recognized(host: str, *, loops: bool) -> None:
    assert is_loopback(host) is loops


@pytest.mark.parametrize("url", ["http://127.0.0.1:9400", "https://issuer.test", "https://issuer.test/below"])
def test_a_plain_public_url_is_accepted(url: str) -> None:
    assert check_public_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://dev-1.okta.com",
        "https://DEV-1.OKTA.COM",
        "https://issuer.test/",
        "ftp://issuer.test",
        "issuer.test",
        "https://issuer.test?x=1",
        "https://issuer.test#x",
        "https://me:secret@issuer.test",
        "https://issuer.test:port",
        "https://",
        "https://a b",
        'https://a"b',
        "http://[::1",
        "",
    ],
)
def test_an_invalid_public_url_is_rejected(url: str) -> None:
    with pytest.raises(SettingsError, match="--public-url"):
        check_public_url(url)


def test_the_issuer_mode_selects_the_url() -> None:
    addresses = IssuerURLs(listening_url=LISTENING, public_url=PUBLIC)
    requested = "http://proxy.test"
    issuers = {
        mode: addresses.issuer(Server(id="default", audience="api://default", issuer_mode=mode), requested)
        for mode in ("CUSTOM_URL", "ORG_URL", "DYNAMIC")
    }
    assert issuers == {
        "CUSTOM_URL": f"{PUBLIC}/oauth2/default",
        "ORG_URL": f"{LISTENING}/oauth2/default",
        "DYNAMIC": f"{requested}/oauth2/default",
    }


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("vanity.test", "http://vanity.test"),
        ("127.0.0.1:9400", "http://127.0.0.1:9400"),
        ("[::1]:9400", "http://[::1]:9400"),
        ("dev-1.okta.com:80", PUBLIC),
        ("okta.com.", PUBLIC),
        ("", PUBLIC),
        (":80", PUBLIC),
        ("[bad", PUBLIC),
        ("[bad]", PUBLIC),
        ("x:notaport", PUBLIC),
        ("x:70000", PUBLIC),
        ("x:", PUBLIC),
        ("me@x", PUBLIC),
        ("x/y", PUBLIC),
        ("x y", PUBLIC),
        ('x"', PUBLIC),
    ],
)
def test_a_dynamic_server_uses_any_valid_host_except_oktas(host: str, expected: str) -> None:
    addresses = IssuerURLs(listening_url=LISTENING, public_url=PUBLIC)
    server = Server(id="default", audience="api://default", issuer_mode="DYNAMIC")
    assert addresses.issuer(server, f"http://{host}") == f"{expected}/oauth2/default"


def test_the_issuer_of_the_org_server_is_the_base_url() -> None:
    addresses = IssuerURLs(listening_url=LISTENING, public_url=PUBLIC)
    assert addresses.issuer(Server(id="org", audience=PUBLIC)) == PUBLIC
