from __future__ import annotations

from pathlib import Path
from typing import Any

import pydantic
import pytest
import trustme
from pydantic import SecretStr

from service.errors import SettingsError
from service.settings.issuers import IssuerSettings
from service.settings.program import SECRETS, Settings

TOKEN = "operators-only-0123456789-abcdefghij"
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


def test_a_configured_audience_replaces_oktas_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_API_AUDIENCE", "api://mine, api://other ,")
    (issuer,) = Settings(issuer=OKTA).trusted_issuers
    assert frozenset({"api://mine", "api://other"}) == issuer.audiences


@pytest.mark.parametrize(
    "name", ["OKTA_OAUTH2_ISSUER", "OKTA_ISSUER", "SERVICE_ISSUER", "OKTA_ORG_URL", "ORG_URL", "OKTA_DOMAIN"]
)
def test_settings_are_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "https://dev-123456.okta.com" if name.endswith(("URL", "DOMAIN")) else OKTA)
    assert OKTA == Settings().issuer


def test_the_first_name_that_is_set_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_ISSUER", "https://other.okta.com/oauth2/default")
    monkeypatch.setenv("OKTA_OAUTH2_ISSUER", OKTA)
    assert OKTA == Settings().issuer


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKTA_API_AUDIENCE", "")
    assert ("api://default",) == Settings(issuer=OKTA).audience


def test_variables_of_other_programs_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    settings = Settings(issuer=OKTA)
    assert (8080, None) == (settings.port, settings.http_proxy)


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no issuer": ({}, "OKTA_OAUTH2_ISSUER"),
    "a placeholder": ({"org_url": "https://{yourOktaDomain}"}, "placeholder"),
    "an org server": ({"issuer": "https://dev-123456.okta.com"}, "/oauth2/default"),
    "an org server with a secret and jwt": (
        {"issuer": "https://dev-1.okta.com", "client_id": "x", "client_secret": "y", "validation": "jwt"},
        "only Okta can validate",
    ),
    "an org server without an audience": (
        {"issuer": "https://dev-1.okta.com", "client_id": "x", "client_secret": "y"},
        "OKTA_OAUTH2_AUDIENCE=https://dev-1.okta.com",
    ),
    "introspection without credentials": ({"issuer": OKTA, "validation": "introspection"}, "OKTA_OAUTH2_CLIENT_ID"),
    "hybrid without credentials": ({"issuer": OKTA, "validation": "hybrid"}, "OKTA_OAUTH2_CLIENT_ID"),
    "an unknown authentication method": (
        {"issuer": OKTA, "introspection_auth_method": "tls_client_auth"},
        "client_secret_basic",
    ),
    "a secret in a missing file": ({"issuer": OKTA, "client_secret_file": "/no/such/file"}, "No such file"),
    "an org server by id": ({"org_url": "dev-123456.okta.com", "authorization_server_id": "org"}, "org server"),
    "no audience": ({"issuer": "https://issuer.example"}, "OKTA_OAUTH2_AUDIENCE"),
    "an audience of commas only": ({"issuer": OKTA, "audience": " , "}, "is empty"),
    "an empty list of audiences": ({"issuer": OKTA, "audience": []}, "is empty"),
    "an empty list of clients": ({"issuer": OKTA, "allowed_client_ids": []}, "is empty"),
    "a list of clients with an empty one": ({"issuer": OKTA, "allowed_client_ids": [""]}, "is empty"),
    "a symmetric algorithm": ({"issuer": OKTA, "algorithms": "RS256,HS256"}, "RS256"),
    "no algorithm": ({"issuer": OKTA, "algorithms": ()}, "RS256"),
    "the algorithm none": ({"issuer": OKTA, "algorithms": "none"}, "none are never accepted"),
    "a negative leeway": ({"issuer": OKTA, "leeway": -1}, "greater than or equal to 0"),
    "an infinite leeway": ({"issuer": OKTA, "leeway": "inf"}, "finite"),
    "an origin with a path": ({"issuer": OKTA, "cors_origins": "https://app.example/"}, "origin"),
    "the origin null": ({"issuer": OKTA, "cors_origins": "null"}, "origin"),
    "an origin pattern that is too wide": ({"issuer": OKTA, "cors_origins": "https://*.com"}, "too wide"),
    "a public URL without scheme": ({"issuer": OKTA, "public_url": "api.example"}, "http(s)://host"),
    "a public URL with a quote": ({"issuer": OKTA, "public_url": 'https://api.example/"'}, "http(s)://host"),
    "a public URL with a query": ({"issuer": OKTA, "public_url": "https://api.example/?a"}, "http(s)://host"),
    "a public URL with an impossible port": (
        {"issuer": OKTA, "public_url": "https://api.example:99999"},
        "Port out of",
    ),
    "a public URL with port 0": ({"issuer": OKTA, "public_url": "https://api.example:0"}, "http(s)://host"),
    "a public URL without a host": ({"issuer": OKTA, "public_url": "https://:80/"}, "http(s)://host"),
    "an unknown scope matching": ({"issuer": OKTA, "scope_matching": "prefix"}, "hierarchy"),
    "an origin without scheme": ({"issuer": OKTA, "cors_origins": "app.example"}, "origin"),
    "a port out of range": ({"issuer": OKTA, "port": 65536}, "65535"),
    "an admin port with several processes and a local cache": (
        {"issuer": OKTA, "admin_port": 9001, "processes": 2},
        "processes",
    ),
    "a local cache in upper case": (
        {"issuer": OKTA, "admin_port": 9001, "processes": 2, "cache_url": "MEMORY://"},
        "processes",
    ),
    "a host of the admin port with a port": (
        {"issuer": OKTA, "admin_hosts": "api.svc:9001"},
        "without scheme and port",
    ),
    "a negative number of processes": ({"issuer": OKTA, "processes": -1}, "processes"),
    "a client certificate header without a proxy": (
        {"issuer": OKTA, "client_certificate_header": "Client-Cert"},
        "client_certificate_header: client-cert is read from trusted proxies only",
    ),
    "a client certificate header that is no name": (
        {"issuer": OKTA, "client_certificate_header": "Client Cert", "trusted_proxies": ("10.0.0.1",)},
        "'Client Cert' is not the name of a header field",
    ),
    "a CA of clients that is no file": ({"issuer": OKTA, "client_ca": "no.pem"}, "no.pem: No such file"),
    "a certificate without key": ({"issuer": OKTA, "certfile": "cert.pem"}, "keyfile"),
    "a realm with a quote": ({"issuer": OKTA, "realm": 'a", error="x'}, "pattern"),
    "an issuer that is not a URL": ({"issuer": "https://[::1"}, "URL"),
}


@pytest.mark.parametrize(("values", "word"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_setting_is_rejected_with_advice(values: dict[str, Any], word: str) -> None:
    with pytest.raises(SettingsError) as rejection:
        Settings(**values)
    assert word in str(rejection.value)


def test_a_ca_of_clients_needs_tls(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(file)
    with pytest.raises(SettingsError, match="client_ca: clients show certificates to servers with TLS only"):
        Settings(issuer=OKTA, client_ca=str(file))
    assert Settings(issuer=OKTA, client_ca=str(file), certfile="c.pem", keyfile="k.pem").client_ca == str(file)


@pytest.mark.parametrize(
    "name", ["allowed_clients", "allowed_client_id", "ALLOWED_CLIENT_IDZ", "validaton", "audiences"]
)
def test_an_unknown_keyword_is_rejected(name: str) -> None:
    values: dict[str, Any] = {"issuer": OKTA, name: "x"}
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'"):
        Settings(**values)
    with pytest.raises(SettingsError, match=f"there is no setting '{name}'"):
        Settings.model_validate(values)


def test_an_unknown_keyword_is_named_with_the_nearest_setting() -> None:
    values: dict[str, Any] = {"issuer": OKTA, "allowed_clients": ("a",)}
    with pytest.raises(SettingsError, match="did you mean 'allowed_client_ids'"):
        Settings(**values)


@pytest.mark.parametrize("variable", ["SERVICE_ALLOWED_CLIENTS_IDS", "service_validaton", "OKTA_OAUTH2_AUDIENC"])
def test_a_misspelt_variable_is_rejected(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "x")
    with pytest.raises(SettingsError, match=f"there is no setting '{variable.upper()}'; did you mean"):
        Settings(issuer=OKTA)


def test_the_name_of_a_variable_is_case_insensitive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("service_allowed_client_ids", "a,b")
    assert ("a", "b") == Settings(issuer=OKTA).allowed_client_ids


def test_a_copy_is_validated_like_new_settings() -> None:
    settings = Settings(issuer=OKTA, allowed_client_ids=("a",), leeway=5)
    copy = settings.model_copy(update={"leeway": "7", "OKTA_OAUTH2_AUDIENCE": "api://mine"})
    assert (7.0, ("api://mine",), ("a",)) == (copy.leeway, copy.audience, copy.allowed_client_ids)
    assert settings == settings.model_copy() == settings.model_copy(update={})
    for update in ({"allowed_clients": ("b",)}, {"allowed_client_ids": ()}, {"leeway": -1}):
        with pytest.raises(SettingsError):
            settings.model_copy(update=update)


def test_settings_are_frozen() -> None:
    settings = Settings(issuer=OKTA)
    with pytest.raises(AttributeError, match="use a copy"):
        settings.port = 1
    with pytest.raises(AttributeError, match="use a copy"):
        del settings.port


def test_the_repr_hides_secrets() -> None:
    settings = Settings(issuer=OKTA, http_proxy=pydantic.SecretStr("http://alice:hunter2@proxy.example:3128"))
    assert "hunter2" not in repr(settings)
    assert "http_proxy" in SECRETS
    assert "http://alice:hunter2@proxy.example:3128" == settings.proxy_url


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{TOKEN}\n")
    path = str(tmp_path / "secret")
    settings = Settings(issuer=OKTA, client_id="me", client_secret_file=path, admin_token_file=path)
    client = settings.trusted_issuers[0].client
    assert client is not None
    assert client.secret is not None
    assert TOKEN == client.secret.get_secret_value()
    assert {"admin_token": TOKEN} == settings.operator_tokens
    assert TOKEN not in repr(settings) + repr(client)


def test_an_empty_secret_file_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(" \n")
    with pytest.raises(SettingsError, match="is empty"):
        Settings(issuer=OKTA, client_id="me", client_secret_file=str(tmp_path / "secret"))


def test_credentials_are_not_inherited_by_other_issuers() -> None:
    other = IssuerSettings(issuer="https://other.example", audience=("api",))
    known = IssuerSettings(
        issuer="https://known.example", audience=("api",), client_id="them", client_secret=SecretStr("theirs")
    )
    settings = Settings(issuer=OKTA, client_id="me", client_secret=SecretStr("hush"), issuers=(other, known))
    clients = [issuer.client.client_id if issuer.client else None for issuer in settings.trusted_issuers]
    assert ["me", None, "them"] == clients


@pytest.mark.parametrize("name", ["OKTA_OAUTH2_CLIENT_SECRET", "OKTA_CLIENT_SECRET"])
def test_credentials_are_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "hush")
    monkeypatch.setenv("OKTA_CLIENT_ID", "me")
    client = Settings(issuer=OKTA).trusted_issuers[0].client
    assert client is not None
    assert client.secret is not None
    assert ("me", "hush") == (client.client_id, client.secret.get_secret_value())


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("SERVICE_RFC9068", "strict", "token_profile", "rfc9068"),
        ("SERVICE_GRACE", "5", "stale_if_error", 5.0),
        ("SERVICE_INTROSPECTION_LIFETIME", "7", "introspection_cache_lifetime", 7.0),
        ("SERVICE_INSECURE_SIGNATURE_SUFFICES", "true", "insecure_accept_when_introspection_fails", True),
        ("SERVICE_CLIENT_AUTHENTICATION", "none", "introspection_auth_method", "none"),
    ],
)
def test_an_older_environment_name_still_works(
    variable: str, text: str, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, text)
    assert value == getattr(Settings(issuer="https://issuer.example", audience=("api://x",)), name)
