from __future__ import annotations

from typing import Any

import pydantic
import pytest

from service.settings import SECRETS, Settings

OKTA = "https://dev-123456.okta.com/oauth2/default"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OKTA_OAUTH2_ISSUER", "OKTA_ISSUER", "OKTA_ORG_URL", "ORG_URL", "OKTA_DOMAIN"):
        monkeypatch.delenv(name, raising=False)


def test_an_okta_issuer_is_enough() -> None:
    (issuer,) = Settings(issuer=OKTA).trusted_issuers
    assert (OKTA, frozenset({"api://default"}), frozenset({"RS256"}), 120.0) == (
        issuer.issuer,
        issuer.audiences,
        issuer.algorithms,
        issuer.leeway,
    )


@pytest.mark.parametrize("org", ["dev-123456.okta.com", "https://dev-123456.okta.com", "https://dev-123456.okta.com/"])
def test_the_issuer_is_derived_from_the_org(org: str) -> None:
    assert OKTA == Settings(org_url=org).issuer
    assert "https://dev-123456.okta.com/oauth2/aus1" == Settings(org_url=org, authorization_server_id="aus1").issuer


def test_the_issuer_itself_wins_over_the_org() -> None:
    assert OKTA == Settings(issuer=OKTA, org_url="https://other.okta.com").issuer


def test_an_audience_of_ones_own_replaces_oktas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_API_AUDIENCE", "api://mine, api://other ,")
    (issuer,) = Settings(issuer=OKTA).trusted_issuers
    assert frozenset({"api://mine", "api://other"}) == issuer.audiences


@pytest.mark.parametrize(
    "name", ["OKTA_OAUTH2_ISSUER", "OKTA_ISSUER", "SERVICE_ISSUER", "OKTA_ORG_URL", "ORG_URL", "OKTA_DOMAIN"]
)
def test_is_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "https://dev-123456.okta.com" if name.endswith(("URL", "DOMAIN")) else OKTA)
    assert OKTA == Settings().issuer


def test_the_first_name_that_is_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_ISSUER", "https://other.okta.com/oauth2/default")
    monkeypatch.setenv("OKTA_OAUTH2_ISSUER", OKTA)
    assert OKTA == Settings().issuer


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_API_AUDIENCE", "")
    assert ("api://default",) == Settings(issuer=OKTA).audience


def test_a_variable_of_another_program_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    settings = Settings(issuer=OKTA)
    assert (8080, None) == (settings.port, settings.http_proxy)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no issuer": ({}, "OKTA_OAUTH2_ISSUER"),
    "a placeholder": ({"org_url": "https://{yourOktaDomain}"}, "placeholder"),
    "an org server": ({"issuer": "https://dev-123456.okta.com"}, "/oauth2/default"),
    "an org server by id": ({"org_url": "dev-123456.okta.com", "authorization_server_id": "org"}, "org server"),
    "no audience": ({"issuer": "https://issuer.example"}, "OKTA_OAUTH2_AUDIENCE"),
    "no audience behind commas": ({"issuer": "https://issuer.example", "audience": " , "}, "OKTA_OAUTH2_AUDIENCE"),
    "a symmetric algorithm": ({"issuer": OKTA, "algorithms": "RS256,HS256"}, "RS256"),
    "no algorithm": ({"issuer": OKTA, "algorithms": ()}, "RS256"),
    "none": ({"issuer": OKTA, "algorithms": "none"}, "none is never accepted"),
    "a negative leeway": ({"issuer": OKTA, "leeway": -1}, "greater than or equal to 0"),
    "an endless leeway": ({"issuer": OKTA, "leeway": "inf"}, "finite"),
    "an origin with a path": ({"issuer": OKTA, "cors_origins": "https://app.example/"}, "origin"),
    "an origin that any page can have": ({"issuer": OKTA, "cors_origins": "null"}, "origin"),
    "a pattern of origins that is too wide": ({"issuer": OKTA, "cors_origins": "https://*.com"}, "too wide"),
    "a resource that is no URL": ({"issuer": OKTA, "public_url": "api.example"}, "http(s)://host"),
    "a resource that ends its quotes": ({"issuer": OKTA, "public_url": 'https://api.example/"'}, "http(s)://host"),
    "a resource with a query": ({"issuer": OKTA, "public_url": "https://api.example/?a"}, "http(s)://host"),
    "a resource without a host": ({"issuer": OKTA, "public_url": "https://:80/"}, "http(s)://host"),
    "a scope matching that there is not": ({"issuer": OKTA, "scope_matching": "prefix"}, "hierarchy"),
    "an origin without scheme": ({"issuer": OKTA, "cors_origins": "app.example"}, "origin"),
    "a port that is none": ({"issuer": OKTA, "port": 65536}, "65535"),
    "a certificate without key": ({"issuer": OKTA, "certfile": "cert.pem"}, "keyfile"),
    "a realm that ends its quotes": ({"issuer": OKTA, "realm": 'a", error="x'}, "pattern"),
    "an issuer that is no URL": ({"issuer": "https://[::1"}, "URL"),
}


@pytest.mark.parametrize(("values", "word"), REFUSED.values(), ids=REFUSED.keys())
def test_refuses(values: dict[str, Any], word: str) -> None:
    with pytest.raises(pydantic.ValidationError) as refusal:
        Settings(**values)
    assert word in str(refusal.value)


def test_cannot_be_changed() -> None:
    settings = Settings(issuer=OKTA)
    with pytest.raises(pydantic.ValidationError):
        settings.port = 1


def test_hides_secrets() -> None:
    settings = Settings(issuer=OKTA, http_proxy=pydantic.SecretStr("http://alice:hunter2@proxy.example:3128"))
    assert "hunter2" not in repr(settings)
    assert "http_proxy" in SECRETS
    assert "http://alice:hunter2@proxy.example:3128" == settings.proxy_url
