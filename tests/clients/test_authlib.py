"""Authlib's own client, unmodified, against the fake issuer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from authlib.integrations.requests_client import OAuth2Session
from scripted_browser import CALLBACK, SPA, VERIFIER, WEB

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

SERVICE = "0oaservice0000000001"


@pytest.fixture
def issuer() -> Iterator[RunningIssuer]:
    with running(auto_login="alice@example.com") as issuer:
        yield issuer


@pytest.fixture
def session(issuer: RunningIssuer) -> Iterator[Callable[..., Any]]:
    opened = []

    def call(client_id: str, **more: Any) -> Any:
        endpoint = f"{issuer.issuer_url()}/v1/token"
        opened.append(OAuth2Session(client_id, redirect_uri=CALLBACK, token_endpoint=endpoint, **more))
        return opened[-1]

    yield call
    for one in opened:
        one.close()


def came_back(session: Any, url: str) -> str:
    answer = session.get(url, withhold_token=True, allow_redirects=False)
    return str(answer.headers["Location"])


@pytest.mark.parametrize(
    ("client_id", "more"), [(WEB, {"client_secret": "web-secret-for-tests-only-00000000001"}), (SPA, {})]
)
def test_the_code_flow_with_pkce_gives_refreshable_tokens(
    issuer: RunningIssuer, session: Callable[..., Any], client_id: str, more: dict[str, str]
) -> None:
    client = session(client_id, scope="openid email offline_access", code_challenge_method="S256", **more)
    endpoint = f"{issuer.issuer_url()}/v1/authorize"
    url, state = client.create_authorization_url(endpoint, code_verifier=VERIFIER, nonce="n-1")
    location = came_back(client, url)
    token = client.fetch_token(authorization_response=location, state=state, code_verifier=VERIFIER)
    key = jwt.PyJWKSet.from_dict(issuer.key_set())[jwt.get_unverified_header(token["id_token"])["kid"]]
    claims = jwt.decode(token["id_token"], key, algorithms=["RS256"], audience=client_id)
    assert (claims["nonce"], claims["email"]) == ("n-1", "alice@example.com")
    userinfo = client.get(f"{issuer.issuer_url()}/v1/userinfo").json()
    assert userinfo["sub"] == claims["sub"]
    first = token["access_token"]
    renewed = client.refresh_token(f"{issuer.issuer_url()}/v1/token")
    assert renewed["access_token"] != first
    assert (renewed["refresh_token"] == token["refresh_token"]) is (client_id == WEB)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_client_credentials_and_introspection(issuer: RunningIssuer, session: Callable[..., Any], method: str) -> None:
    client = session(SERVICE, client_secret="service-secret-for-tests-only-0000001", token_endpoint_auth_method=method)
    token = client.fetch_token(grant_type="client_credentials")
    answer = client.introspect_token(f"{issuer.issuer_url()}/v1/introspect", token=token["access_token"])
    assert answer.json()["active"] is True
    assert client.revoke_token(f"{issuer.issuer_url()}/v1/revoke", token=token["access_token"]).status_code == 200
    answer = client.introspect_token(f"{issuer.issuer_url()}/v1/introspect", token=token["access_token"])
    assert answer.json() == {"active": False}
