from __future__ import annotations

from typing import Any

import pydantic
import pytest

from service.errors import SettingsError
from service.settings.profiles.locations import Locations
from service.settings.program import Settings

REJECTED = (pydantic.ValidationError, SettingsError)
ISSUER = "https://sso.example.com/realms/one"
TENANT = "00000000-0000-0000-0000-000000000001"
NAMES = ("metadata_url", "jwks_uri")


def _locations(**settings: Any) -> Locations:
    (issuer,) = Settings(**{"issuer": ISSUER, "audience": ("a",), **settings}).trusted_issuers
    return issuer.locations


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "url",
    [
        "https://keys.example/jwks",
        "https://keys.example:8443/jwks?client_id=a&p=b_1",
        "http://127.0.0.1:8080/jwks",
        "http://localhost/jwks",
        "http://[::1]/jwks",
    ],
)
def test_a_url_is_accepted(name: str, url: str) -> None:
    assert {name: url} == _locations(**{name: url}).urls


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://keycloak:8080/jwks", "insecure_accept_http_issuer accepts it"),
        ("keycloak:8080/jwks", "expected https"),
        ("/jwks", "expected https://host"),
        ("", "expected https://host"),
        ("ftp://a.example/jwks", "expected https"),
        ("file:///etc/keys", "expected https"),
        ("https://", "expected https://host"),
        ("https://a.example:0/", "expected https://host"),
        ("https://a.example:99999/", "expected https://host"),
        ("https://[::1/", "expected https://host"),
        ("https://a.example/ jwks", "without spaces"),
        ("https://a.example/jwks\n", "without spaces"),
        ('"https://a.example/jwks"', "expected https"),
        ("https://{yourDomain}/jwks", "placeholders"),
        ("https://bücher.example/jwks", "expected https://host"),
        ("https://alice:hunter2@a.example/jwks", "without a user name"),
        ("https://a.example/jwks#keys", "without a user name and a fragment"),
    ],
)
def test_a_malformed_or_insecure_url_is_rejected(name: str, url: str, words: str) -> None:
    with pytest.raises(REJECTED, match=words) as rejection:
        _locations(**{name: url})
    assert name in str(rejection.value)


def test_a_url_in_a_container_network_needs_the_insecure_switch() -> None:
    url = "http://keycloak:8080/realms/one/protocol/openid-connect/certs"
    settings = Settings(issuer=ISSUER, audience=("a",), jwks_uri=url, insecure_accept_http_issuer=True)
    (issuer,) = settings.trusted_issuers
    assert (True, False) == (issuer.is_exposed, issuer.is_discovered)
    (issuer,) = Settings(issuer=ISSUER, audience=("a",), insecure_accept_http_issuer=True).trusted_issuers
    assert (False, True) == (issuer.is_exposed, issuer.is_discovered)


def test_an_invalid_switch_does_not_hide_the_other_mistakes() -> None:
    with pytest.raises(REJECTED, match="jwks_uri"):
        _locations(insecure_accept_http_issuer="perhaps", jwks_uri="http://keycloak/jwks")


def test_the_tenant_replaces_the_placeholder_in_each_url() -> None:
    url = "https://login.microsoftonline.com/{tenantid}/v2.0/.well-known/openid-configuration"
    settings = {"issuer": "https://login.microsoftonline.com/{tenantid}/v2.0", "tenants": TENANT}
    assert url.replace("{tenantid}", TENANT) == _locations(metadata_url=url, **settings).metadata_url
    with pytest.raises(REJECTED, match=r"metadata_url: \{tenantid\} stands for a tenant"):
        _locations(metadata_url=url)


@pytest.mark.parametrize("issuer", ["acme.com", "stytch.com/project-1", "http://fs.example.com/adfs/services/trust"])
def test_an_issuer_that_is_only_compared_need_not_be_an_https_url(issuer: str) -> None:
    jwks_uri = "https://keys.example/jwks"
    assert {"jwks_uri": jwks_uri} == _locations(issuer=issuer, jwks_uri=jwks_uri, profile="generic").urls
    with pytest.raises(REJECTED, match="https"):
        _locations(issuer=issuer, profile="generic")


def test_no_place_is_the_default() -> None:
    assert Locations() == _locations(**dict.fromkeys(("metadata_url", "jwks_uri", "keys_file")))
