from __future__ import annotations

from typing import Any

import pydantic
import pytest

from service.errors import SettingsError
from service.settings.issuers import IssuerSettings
from service.settings.program import Settings

REJECTED = (pydantic.ValidationError, SettingsError)
ISSUER = "https://issuer.example"
TENANT = "00000000-0000-0000-0000-000000000001"

INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt profile": ({"profile": "keyclock"}, "expected one of .*; did you mean 'keycloak'?"),
    "a tenant by its domain": ({"tenants": ["contoso.com"]}, "'contoso.com' is not the ID of a tenant"),
    "a tenant in capitals": ({"tenants": [TENANT.replace("1", "A")]}, "in lower case"),
    "no tenants": ({"tenants": []}, "is empty"),
    "tenants without their place": ({"tenants": [TENANT]}, "{tenantid} stands nowhere"),
    "a JSON pointer": ({"roles_claim": "/realm_access/roles"}, "as in realm_access.roles"),
    "a wildcard": ({"groups_claim": "resource_access.*.roles"}, "without wildcards"),
    "a JSON path": ({"scope_claims": ["scope", "$.permissions"]}, "is not the name of a claim"),
    "no client claims": ({"client_id_claims": []}, "is empty"),
    "an issuer without TLS": ({"issuer": "http://keycloak:8080/realms/one"}, "write https://keycloak"),
}


@pytest.mark.parametrize(("values", "message"), INVALID.values(), ids=INVALID.keys())
def test_an_invalid_value_is_rejected(values: dict[str, Any], message: str) -> None:
    table = {"issuer": ISSUER, "audience": ("a",)} | values
    with pytest.raises(REJECTED, match=message):
        IssuerSettings(**table)
    with pytest.raises(REJECTED, match=message):
        Settings(**table)


@pytest.mark.parametrize(
    ("setting", "value"), [("profile", "keycloak"), ("roles_claim", "a"), ("accept_tokens_without_audience", True)]
)
def test_what_is_about_no_issuer_is_rejected(setting: str, value: object) -> None:
    """The setting would apply to the issuer of the program, not to those of the tables."""
    values: dict[str, Any] = {setting: value}
    with pytest.raises(REJECTED, match=f"{setting}: it is about the server of issuer"):
        Settings(issuers=(IssuerSettings(issuer=ISSUER, audience=("a",)),), **values)


def test_the_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_PROFILE", "keycloak")
    monkeypatch.setenv("SERVICE_ROLES_CLAIM", "resource_access.my-api.roles")
    monkeypatch.setenv("SERVICE_CLIENT_ID_CLAIMS", "azp, client_id")
    monkeypatch.setenv("SERVICE_INSECURE_ACCEPT_HTTP_ISSUER", "true")
    (issuer,) = Settings(issuer="http://keycloak:8080/realms/one", audience=("a",)).trusted_issuers
    names = issuer.profile.names
    assert ("resource_access.my-api.roles", ("azp", "client_id")) == (names.roles, names.client_id)
