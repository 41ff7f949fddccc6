from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from service.errors import SettingsError
from service.settings.program import Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"


@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy.example:3128",
        "http://a:b%2Fc@proxy.example",
        "http://[::1]:3128/",
        "https://a:b@proxy.example",
        "socks5://a:b@proxy.example",
        "socks5h://proxy.example:9050",
        "SOCKS4A://proxy.example",
        "a:b@proxy.example:3128",
        "proxy.example:3128",
        "proxy",
    ],
)
def test_the_url_of_a_proxy_is_accepted(proxy: str) -> None:
    assert proxy == Settings(issuer=OKTA, http_proxy=SecretStr(proxy)).proxy_url


@pytest.mark.parametrize(
    "proxy",
    [
        "http://alice:hunter2@proxy.example:many",
        "http://alice:hunter2@proxy.example:0",
        "http://alice:hunter2@proxy.example:99999",
        "http://alice:hun/ter2@proxy.example:3128",
        "http://alice:12/hunter2@proxy.example:3128",
        "http://alice:12#hunter2@proxy.example:3128",
        "http://alice:12?hunter2@proxy.example:3128",
        "http://[hunter2]@proxy.example:3128",
        "http://alice:hunter2@",
        "ftp://alice:hunter2@proxy.example",
        "alice:hunter2@proxy.example:many",
        "alice:hun/ter2@proxy.example:3128",
        "hunter2 proxy.example",
        "hunter2://",
        "",
    ],
)
def test_a_malformed_proxy_is_rejected_without_its_password(proxy: str) -> None:
    with pytest.raises(SettingsError, match="percent-encoded") as rejection:
        Settings(issuer=OKTA, http_proxy=SecretStr(proxy))
    for secret in ("hunter2", "hun", "ter2"):
        assert secret not in str(rejection.value)


@pytest.mark.parametrize("name", ["port", "admin_port"])
def test_the_port_of_a_kubernetes_service_is_explained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"SERVICE_{name.upper()}", "tcp://10.0.0.11:80")
    with pytest.raises(SettingsError, match="enableServiceLinks: false"):
        Settings(issuer=OKTA)
    given: dict[str, Any] = {name: 9000}
    assert 9000 == getattr(Settings(issuer=OKTA, **given), name)


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::", "fe80::1%eth0", "localhost", "api.example", "a_b"])
def test_an_address_is_accepted(address: str) -> None:
    assert address == Settings(issuer=OKTA, address=address).address


@pytest.mark.parametrize("address", ["", " ", "[::1]", "a..b", "a\0b", "x" * 64, "http://127.0.0.1", "bücher.example"])
def test_an_address_that_cannot_be_bound_is_rejected(address: str) -> None:
    with pytest.raises(SettingsError, match="expected an IP address or a host name"):
        Settings(issuer=OKTA, address=address)


@pytest.mark.parametrize("origin", ["https://*.co.uk", "https://bücher.example"])
def test_an_origin_that_matches_strangers_or_none_is_rejected(origin: str) -> None:
    with pytest.raises(SettingsError, match=r"too wide|never matches"):
        Settings(issuer=OKTA, cors_origins=(origin,))


def test_a_public_url_with_an_invalid_port_is_rejected() -> None:
    with pytest.raises(SettingsError, match="Port out of range"):
        Settings(issuer=OKTA, public_url="https://api.example:99999/")


def test_trusted_proxies_are_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TRUSTED_PROXIES", "10.0.0.7, fd00::/8")
    assert ("10.0.0.7", "fd00::/8") == Settings(issuer=OKTA).trusted_proxies


@pytest.mark.parametrize(
    ("network", "problem"),
    [
        ("10.0.0.7/8", "without host bits"),
        ("*", "expected an IP address or a network"),
        ("proxy.example", "expected an IP address or a network"),
        ("0.0.0.0/0", "trusts every client"),
        ("::/0", "trusts every client"),
        ("::ffff:10.0.0.7", "write the IPv4 address"),
    ],
)
def test_a_trusted_proxy_that_is_none_is_rejected(network: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        Settings(issuer=OKTA, trusted_proxies=(network,))


def test_unix_stands_for_proxies_at_unix_sockets() -> None:
    assert ("unix", "10.0.0.7") == Settings(issuer=OKTA, trusted_proxies=("unix", "10.0.0.7")).trusted_proxies
