from __future__ import annotations

import pytest

from service.settings.profiles.table import PROFILES, recognise

RECOGNISED = {
    "https://dev-123456.okta.com": "okta",
    "https://dev-123456.okta.com/oauth2/default": "okta",
    "https://agency.okta.mil/oauth2/default": "okta",
    "http://127.0.0.1:9400/oauth2/default": "okta",
    "https://tenant.eu.auth0.com/": "auth0",
    "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000001/v2.0": "entra",
    "https://sts.windows.net/00000000-0000-0000-0000-000000000001/": "entra",
    "https://sso.example.com/realms/one": "keycloak",
    "https://sso.example.com/auth/realms/one": "keycloak",
    "http://keycloak:8080/realms/one": "keycloak",
    "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc": "cognito",
    "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_abc": "cognito",
    "https://accounts.google.com": "google",
    "https://fs.example.com/adfs": "adfs",
    "https://one.zitadel.cloud": "zitadel",
    "https://sso.example.com/application/o/orders/": "authentik",
    "https://issuer.example": None,
    "https://issuer.example/oauth2": None,
    "https://issuer.example/oauth2/default": None,
    "https://okta.com.evil.example/oauth2/default": None,
    "https://evil.example/x.okta.com": None,
    "https://evilokta.com/oauth2/default": None,
    "https://evil.example/tenant.auth0.com/": None,
    "https://auth0.com.evil.example/": None,
    "https://accounts.google.com.evil.example": None,
    "https://evil.example/login.microsoftonline.com/": None,
    "https://auth.example.com": None,
    "https://[::1": None,
}


@pytest.mark.parametrize(("issuer", "profile"), RECOGNISED.items())
def test_the_profile_of_an_issuer_is_recognised(issuer: str, profile: str | None) -> None:
    row = recognise(issuer)
    assert profile == (None if row is None else row.name)


def test_the_profiles_have_the_agreed_names() -> None:
    names = ["okta", "auth0", "entra", "keycloak", "cognito", "google", "adfs", "zitadel", "authentik", "hydra"]
    assert {"generic", *names} == PROFILES.keys()
