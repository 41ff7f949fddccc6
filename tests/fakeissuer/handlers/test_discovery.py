from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.errors import InvalidRequestError
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]

OIDC = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


def test_the_document_names_the_endpoints(fake_issuer: RunningIssuer, ask: Ask) -> None:
    for server, base in (("default", "/oauth2/default"), ("org", "/oauth2")):
        document = ask(fake_issuer.issuer_url(server) + OIDC).json()
        assert document["jwks_uri"] == f"{fake_issuer.url}{base}/v1/keys"
        assert ask(document["jwks_uri"]).json() == fake_issuer.key_set(server)
        assert document["registration_endpoint"] == f"{fake_issuer.url}/oauth2/v1/clients"


def test_the_issuer_is_never_taken_from_the_host_header(fake_issuer: RunningIssuer, ask: Ask) -> None:
    response = ask(fake_issuer.issuer_url() + OIDC, headers={"Host": "attacker.example"})
    assert response.json()["issuer"] == fake_issuer.issuer_url()


def test_a_dynamic_server_uses_the_host_header_unless_it_names_okta(fake_issuer: RunningIssuer, ask: Ask) -> None:
    fake_issuer.put("servers", "default", audience="api://default", issuer_mode="DYNAMIC")
    url = fake_issuer.issuer_url() + OIDC
    assert ask(url, headers={"Host": "vanity.test"}).json()["issuer"] == "http://vanity.test/oauth2/default"
    for host in ("dev-1.okta.com", "[bad", "", "x:notaport"):
        assert ask(url, headers={"Host": host}).json()["issuer"] == fake_issuer.issuer_url()


def test_a_public_url_names_the_issuer(ask: Ask) -> None:
    with running(public_url="https://issuer.test") as issuer:
        assert issuer.url == "https://issuer.test"
        port = issuer.overview().listening_url.rpartition(":")[2]
        document = ask(f"http://127.0.0.1:{port}/oauth2/default{OIDC}").json()
        assert document["issuer"] == "https://issuer.test/oauth2/default"
        assert document["jwks_uri"] == "https://issuer.test/oauth2/default/v1/keys"


def test_an_unknown_server_is_not_found(fake_issuer: RunningIssuer, ask: Ask) -> None:
    for server in ("unknown", "org", "Default"):
        response = ask(f"{fake_issuer.url}/oauth2/{server}{OIDC}")
        assert (response.status, response.json()["errorCode"]) == (404, "E0000007")


def test_only_scopes_of_the_server_can_be_published(fake_issuer: RunningIssuer) -> None:
    with pytest.raises(InvalidRequestError, match="published_scopes"):
        fake_issuer.put("servers", "default", audience="api://default", published_scopes=["unknown"])


def test_an_org_url_server_ignores_the_host_header(ask: Ask) -> None:
    with running(public_url="https://vanity.test") as issuer:
        issuer.put("servers", "default", audience="api://default", issuer_mode="ORG_URL")
        url = issuer.overview().listening_url
        document = ask(f"{url}/oauth2/default{OIDC}", headers={"Host": "vanity.test"}).json()
        assert document["issuer"] == f"{url}/oauth2/default"
        assert document["token_endpoint"] == f"{url}/oauth2/default/v1/token"


def test_the_strict_profile_announces_the_iss_response_parameter(fake_issuer: RunningIssuer, ask: Ask) -> None:
    member = "authorization_response_iss_parameter_supported"
    assert member not in ask(fake_issuer.issuer_url() + OIDC).json()
    with running(profile="strict-rfc") as issuer:
        for name in (OIDC, OAUTH):
            assert ask(issuer.issuer_url() + name).json()[member] is True


def test_the_strict_profile_lists_the_claims_of_its_access_tokens(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        claims = ask(issuer.issuer_url() + OAUTH).json()["claims_supported"]
        token = issuer.mint(sub="alice@example.com").claims
    assert {"client_id", "scope"} <= token.keys() <= set(claims)
    assert not {"cid", "uid", "scp", "ver"} & set(claims)
