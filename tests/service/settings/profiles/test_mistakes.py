from __future__ import annotations

import pytest

from service.settings.profiles.mistakes import find_mistakes

TENANT = "00000000-0000-0000-0000-000000000001"
OKTA = "https://dev-123456.okta.com/oauth2/default"
AUTH0 = "https://tenant.eu.auth0.com/"
KEYCLOAK = "https://sso.example.com/realms/one"
ENTRA = "https://login.microsoftonline.com"

CORRECTED = {
    "the admin console": ("https://dev-123456-admin.okta.com/oauth2/default", OKTA),
    "a slash after an Okta server": (f"{OKTA}/", OKTA),
    "a slash after an Okta org": ("https://dev-123456.okta.com/", "https://dev-123456.okta.com"),
    "the token endpoint of Okta": (f"{OKTA}/v1/token", OKTA),
    "no server ID": ("https://dev-123456.okta.com/oauth2", OKTA),
    "several mistakes": ("http://dev-123456-admin.okta.com/oauth2/default/v1/keys", OKTA),
    "Auth0 without its slash": (AUTH0[:-1], AUTH0),
    "the discovery document of Auth0": (f"{AUTH0}.well-known/openid-configuration", AUTH0),
    "a slash after a realm": (f"{KEYCLOAK}/", KEYCLOAK),
    "an endpoint of a realm": (f"{KEYCLOAK}/protocol/openid-connect/certs", KEYCLOAK),
    "the discovery document of a realm": (f"{KEYCLOAK}/.well-known/openid-configuration", KEYCLOAK),
    "authentik without its slash": (
        "https://sso.example.com/application/o/orders",
        "https://sso.example.com/application/o/orders/",
    ),
    "the issuer of access tokens of ADFS": ("http://fs.example.com/adfs/services/trust", "https://fs.example.com/adfs"),
    "a slash after ADFS": ("https://fs.example.com/adfs/", "https://fs.example.com/adfs"),
    "a tenant without a version": (f"{ENTRA}/{TENANT}", f"{ENTRA}/{TENANT}/v2.0"),
    "a slash after version 2": (f"{ENTRA}/{TENANT}/v2.0/", f"{ENTRA}/{TENANT}/v2.0"),
    "version 1 without its slash": (f"https://sts.windows.net/{TENANT}", f"https://sts.windows.net/{TENANT}/"),
    "personal accounts": (f"{ENTRA}/consumers/v2.0", f"{ENTRA}/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"),
}


@pytest.mark.parametrize(("wrong", "correct"), CORRECTED.values(), ids=CORRECTED.keys())
def test_following_the_correction_leaves_no_mistake(wrong: str, correct: str) -> None:
    mistakes = find_mistakes(wrong, profile=None, has_tenants=False, accepts_http=False)
    assert f"write {correct}" == mistakes[-1]
    assert [] == find_mistakes(correct, profile=None, has_tenants=False, accepts_http=False)


@pytest.mark.parametrize("path", ["common", "organizations"])
@pytest.mark.parametrize("version", ["", "/v2.0"])
def test_the_metadata_of_all_tenants_is_no_issuer(path: str, version: str) -> None:
    mistakes = find_mistakes(f"{ENTRA}/{path}{version}", profile=None, has_tenants=False, accepts_http=False)
    assert f"write {ENTRA}/{{tenantid}}/v2.0" == mistakes[-1]
    assert "list the accepted ones in tenants" in mistakes[0]


def test_a_tenant_is_named_by_its_id() -> None:
    mistakes = find_mistakes(f"{ENTRA}/contoso.com/v2.0", profile=None, has_tenants=False, accepts_http=False)
    assert "by its ID instead of a domain" in mistakes[0]


def test_the_placeholder_and_the_tenants_need_each_other() -> None:
    template = f"{ENTRA}/{{tenantid}}/v2.0"
    assert [] == find_mistakes(template, profile=None, has_tenants=True, accepts_http=False)
    assert "in tenants" in find_mistakes(template, profile=None, has_tenants=False, accepts_http=False)[-1]
    assert (
        "{tenantid} stands nowhere"
        in find_mistakes(f"{ENTRA}/{TENANT}/v2.0", profile=None, has_tenants=True, accepts_http=False)[0]
    )
    slash = find_mistakes(f"{template}/", profile=None, has_tenants=True, accepts_http=False)
    assert f"write {template}" == slash[-1]


@pytest.mark.parametrize("issuer", ["https://login.example.com/oauth2", "https://login.example.com/oauth2/a/"])
def test_the_spelling_of_okta_applies_to_its_hosts_and_to_its_profile(issuer: str) -> None:
    assert [] == find_mistakes(issuer, profile=None, has_tenants=False, accepts_http=False)
    assert [] == find_mistakes(issuer, profile="generic", has_tenants=False, accepts_http=False)
    assert [] != find_mistakes(issuer, profile="okta", has_tenants=False, accepts_http=False)


def test_the_spelling_of_entra_applies_to_its_hosts_only() -> None:
    b2c = f"https://contoso.b2clogin.com/{TENANT}/v2.0/"
    assert [] == find_mistakes(b2c, profile="entra", has_tenants=False, accepts_http=False)
