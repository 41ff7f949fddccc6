"""requests-oauthlib's own client, unmodified, against the fake issuer."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, LegacyApplicationClient
from requests_oauthlib import OAuth2Session
from scripted_browser import CALLBACK, WEB

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningIssuer]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the library rejects http, even on loopback
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    with running(auto_login="alice@example.com") as issuer:
        yield issuer


def test_the_code_flow_with_pkce_gives_refreshable_tokens(issuer: RunningIssuer) -> None:
    scopes = ["openid", "offline_access", "api:read"]
    with OAuth2Session(WEB, redirect_uri=CALLBACK, scope=scopes, pkce="S256") as client:
        url, _ = client.authorization_url(f"{issuer.issuer_url()}/v1/authorize")
        location = client.get(url, withhold_token=True, allow_redirects=False).headers["Location"]
        endpoint = f"{issuer.issuer_url()}/v1/token"
        token = client.fetch_token(
            endpoint, authorization_response=location, client_secret="web-secret-for-tests-only-00000000001"
        )
        assert client.get(f"{issuer.issuer_url()}/v1/userinfo").status_code == 200
        renewed = client.refresh_token(endpoint, auth=(WEB, "web-secret-for-tests-only-00000000001"))
        assert renewed["access_token"] != token["access_token"]


def test_client_credentials_and_password_grants(issuer: RunningIssuer) -> None:
    endpoint = f"{issuer.issuer_url()}/v1/token"
    with OAuth2Session(client=BackendApplicationClient("0oaservice0000000001")) as service:
        assert (
            service.fetch_token(endpoint, client_secret="service-secret-for-tests-only-0000001")["token_type"]
            == "Bearer"
        )
        with pytest.raises(InvalidClientError):
            service.fetch_token(endpoint, client_secret="wrong")
    with OAuth2Session(client=LegacyApplicationClient(WEB)) as user:
        got = user.fetch_token(
            endpoint,
            username="bob@example.com",
            password="password",
            client_secret="web-secret-for-tests-only-00000000001",
        )
    assert got["scope"] == ["api:read"]
