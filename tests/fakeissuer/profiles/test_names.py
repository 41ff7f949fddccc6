"""The documents, keys and tokens of each profile."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from seeded_clients import API

from fakeissuer.profiles.names import PROFILE_NAMES, profile_named
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]
EACH = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.fake_issuer_profile(name)) for name in PROFILE_NAMES]
)
WEB = "0oaweb00000000000001"

PATHS = {
    "okta": ("/oauth2/default", "/oauth2/default/v1/keys", "/oauth2/default/v1/introspect"),
    "strict-rfc": ("/oauth2/default", "/oauth2/default/v1/keys", "/oauth2/default/v1/introspect"),
    "adfs": ("/adfs", "/adfs/discovery/keys", None),
    "auth0": ("/", "/.well-known/jwks.json", None),
    "authentik": ("/application/o/default/", "/application/o/default/jwks/", "/application/o/introspect/"),
    "cognito": ("/us-east-1_fb2712cbd", "/us-east-1_fb2712cbd/.well-known/jwks.json", None),
    "entra": ("/{tenant}/v2.0", "/{tenant}/discovery/v2.0/keys", None),
    "entra-v1": ("/{tenant}/", "/{tenant}/discovery/v2.0/keys", None),
    "google": ("", "/oauth2/v3/certs", None),
    "hydra": ("/", "/.well-known/jwks.json", None),
    "keycloak": (
        "/realms/default",
        "/realms/default/protocol/openid-connect/certs",
        "/realms/default/protocol/openid-connect/token/introspect",
    ),
    "zitadel": ("", "/oauth/v2/keys", "/oauth/v2/introspect"),
}
TENANT = "be7c921d-96d1-5e02-a27f-fa5250e0c9b8"

TOKENS: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "okta": ({}, ("cid", "scp", "uid")),
    "strict-rfc": ({"typ": "at+jwt"}, ("client_id", "scope")),
    "adfs": ({"typ": "JWT"}, ("appid", "scp", "apptype", "auth_time")),
    "auth0": ({"typ": "JWT"}, ("azp", "scope", "permissions")),
    "authentik": ({"typ": "JWT"}, ("azp", "uid", "groups")),
    "cognito": ({}, ("client_id", "scope", "token_use", "username", "cognito:groups")),
    "entra": ({"typ": "JWT"}, ("azp", "scp", "oid", "tid", "roles")),
    "entra-v1": ({"typ": "JWT"}, ("appid", "scp", "oid", "tid", "roles", "upn")),
    "google": ({"typ": "JWT"}, ("azp", "email")),
    "hydra": ({"typ": "JWT"}, ("client_id", "scp", "ext", "nbf")),
    "keycloak": ({"typ": "JWT"}, ("azp", "scope", "realm_access", "resource_access", "typ")),
    "zitadel": ({"typ": "JWT"}, ("client_id", "urn:zitadel:iam:org:project:roles")),
}


def _links(issuer: RunningIssuer, server: str = "default") -> dict[str, str]:
    return next(found for found in issuer.overview().servers if found.id == server).links


@EACH
def test_the_discovery_document_is_that_of_the_server(name: str, fake_issuer: RunningIssuer, ask: Ask) -> None:
    issuer, keys, introspection = PATHS[name]
    document = ask(_links(fake_issuer)["openid-configuration"]).json()
    expected = [issuer, keys, introspection]
    seen = [document["issuer"], document["jwks_uri"], document.get("introspection_endpoint")]
    assert [path and fake_issuer.url + path.format(tenant=TENANT) for path in expected[1:]] == seen[1:]
    assert fake_issuer.url + issuer.format(tenant=TENANT) == seen[0] == fake_issuer.issuer_url()
    assert ask(_links(fake_issuer, "partner")["openid-configuration"]).json()["issuer"] != document["issuer"]


@EACH
def test_the_published_keys_include_that_of_each_token(name: str, fake_issuer: RunningIssuer, ask: Ask) -> None:
    key_set = ask(_links(fake_issuer)["keys"]).json()
    assert key_set == fake_issuer.key_set()
    kids = [key["kid"] for key in key_set["keys"]]
    for kind in ("access", "id"):
        header = fake_issuer.mint(kind=kind, sub="alice@example.com").header
        assert header.get("kid", header.get("x5t")) in kids
    for key in key_set["keys"]:
        assert ("alg" in key) == (not name.startswith("entra"))
        if "x5c" in key:
            digest = hashlib.sha1(base64.b64decode(key["x5c"][0]), usedforsecurity=False).digest()
            assert key["x5t"] == key["kid"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")


@EACH
def test_access_tokens_have_the_claims_of_the_server(name: str, fake_issuer: RunningIssuer) -> None:
    header, claims = TOKENS[name]
    minted = fake_issuer.mint(sub="alice@example.com", scp="openid api:read")
    assert header == {member: value for member, value in minted.header.items() if member == "typ"}
    assert set(claims) <= minted.claims.keys()
    own = fake_issuer.mint()
    assert minted.claims["iss"] == own.claims["iss"]
    assert minted.claims.get("jti") is None or minted.claims["jti"] != own.claims["jti"]


@EACH
def test_userinfo_and_id_tokens_have_the_same_subject(name: str, fake_issuer: RunningIssuer, ask: Ask) -> None:
    bearer = {"Authorization": f"Bearer {fake_issuer.token(sub='alice@example.com', scp='openid')}"}
    userinfo = ask(_links(fake_issuer)["userinfo"], headers=bearer).json()
    id_token = fake_issuer.mint(kind="id", sub="alice@example.com", scp="openid").claims
    assert userinfo["sub"] == id_token["sub"] == profile_named(name).subject(fake_issuer_user(fake_issuer))  # type: ignore[arg-type]  # a user


def fake_issuer_user(fake_issuer: RunningIssuer) -> object:
    return fake_issuer.get("users", "alice@example.com")


@EACH
def test_the_catalogues_suit_each_profile(name: str, fake_issuer: RunningIssuer) -> None:
    names = [bad.name for bad in fake_issuer.bad_tokens()]
    assert ("org-server-token" in names) == (name in ("okta", "strict-rfc"))
    assert fake_issuer.good_tokens()


@pytest.mark.fake_issuer_profile("entra")
def test_the_document_of_all_tenants_has_a_template_as_issuer(fake_issuer: RunningIssuer, ask: Ask) -> None:
    for alias in ("common", "organizations"):
        document = ask(f"{fake_issuer.url}/{alias}/v2.0/.well-known/openid-configuration").json()
        assert document["issuer"] == f"{fake_issuer.url}/{{tenantid}}/v2.0"
    assert fake_issuer.key_set()["keys"][0]["issuer"] == f"{fake_issuer.url}/{{tenantid}}/v2.0"


@pytest.mark.fake_issuer_profile("entra")
def test_a_tenant_has_a_document_of_each_version(fake_issuer: RunningIssuer, ask: Ask) -> None:
    document = ask(f"{fake_issuer.url}/{TENANT}/.well-known/openid-configuration").json()
    assert document["issuer"] == f"{fake_issuer.url}/{TENANT}/"


@pytest.mark.fake_issuer_profile("adfs")
def test_access_tokens_of_adfs_have_an_issuer_of_their_own(fake_issuer: RunningIssuer, ask: Ask) -> None:
    document = ask(_links(fake_issuer)["openid-configuration"]).json()
    minted = fake_issuer.mint(sub="alice@example.com")
    assert minted.claims["iss"] == document["access_token_issuer"] != document["issuer"]
    assert "kid" not in minted.header
    assert "sub" not in minted.claims


def _introspected(fake_issuer: RunningIssuer, ask: Ask, token: str, client: str = API) -> dict[str, Any]:
    links = _links(fake_issuer)
    response: dict[str, Any] = ask(links["introspect"], "POST", form={"token": token}, client=client).json()
    return response


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.fake_issuer_profile(name)) for name in ("keycloak", "zitadel")],
)
def test_a_token_is_inactive_for_a_client_outside_its_audience(name: str, fake_issuer: RunningIssuer, ask: Ask) -> None:
    for login in ("alice@example.com", None):
        response = _introspected(fake_issuer, ask, fake_issuer.token(sub=login, cid=WEB))
        assert (response["active"], response["client_id"], response.get("username")) == (True, WEB, login), name
    response = _introspected(fake_issuer, ask, fake_issuer.token(sub="alice@example.com", aud=["another"]))
    assert response == {"active": False}


@pytest.mark.fake_issuer_profile("authentik")
def test_introspection_of_authentik_names_the_caller_as_client(fake_issuer: RunningIssuer, ask: Ask) -> None:
    response = _introspected(fake_issuer, ask, fake_issuer.token(sub="alice@example.com"))
    assert (response["client_id"], response["scope"]) == (API.partition(":")[0], "api:read")
    assert {"azp", "uid"}.isdisjoint(response)
    assert _introspected(fake_issuer, ask, fake_issuer.token())["active"] is True


@pytest.mark.fake_issuer_profile("hydra")
def test_introspection_of_hydra_says_how_a_token_is_used(fake_issuer: RunningIssuer, ask: Ask) -> None:
    for kind, use in (("access", "access_token"), ("refresh", "refresh_token")):
        response = _introspected(fake_issuer, ask, fake_issuer.token(kind=kind, sub="alice@example.com"))
        assert (response["active"], response["token_use"]) == (True, use)
    document = ask(_links(fake_issuer)["openid-configuration"]).json()
    assert "introspection_endpoint" not in document
