"""Each grant binds its tokens to the key of a DPoP proof, after the exchange of a nonce (RFC 9449 section 5)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from devices import start_device
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from plain_http import send
from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER
from seeded_clients import SERVICE, WEB

from fakeissuer import DPoPClient, RunningIssuer, running
from fakeissuer.model.grant_types import (
    AUTHORIZATION_CODE,
    CIBA,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    JWT_BEARER,
    PASSWORD,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
)
from fakeissuer.oauth.grants import GRANTS
from fakeissuer.state.seed import DEVICE_APP

APP = "app:s"
PUBLIC = ""
Form = dict[str, str]


@pytest.fixture
def issuer() -> Iterator[RunningIssuer]:
    """An issuer that signs alice in by itself."""
    with running(auto_login="alice@example.com") as issuer:
        yield issuer


def _code(issuer: RunningIssuer) -> tuple[str, Form]:
    query = "&".join(
        (
            f"client_id={SPA}&redirect_uri={CALLBACK}&response_type=code&scope=openid&state=s",
            f"code_challenge={CHALLENGE}&code_challenge_method=S256",
        )
    )
    location = send(f"{issuer.issuer_url()}/v1/authorize?{query}").headers["Location"]
    code = parse_qs(urlsplit(location).query)["code"][0]
    return PUBLIC, {"client_id": SPA, "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}


def _device(issuer: RunningIssuer) -> tuple[str, Form]:
    device = start_device(issuer)
    send(device["verification_uri_complete"])
    return PUBLIC, {"client_id": DEVICE_APP, "device_code": device["device_code"]}


def _ciba(issuer: RunningIssuer) -> tuple[str, Form]:
    issuer.put("clients", "app", name="app", secret="s", grant_types=[CIBA])
    form = {"scope": "openid", "login_hint": "alice@example.com"}
    response = send(f"{issuer.issuer_url()}/v1/bc/authorize", "POST", form=form, client=APP)
    return APP, {"auth_req_id": response.json()["auth_req_id"]}


def _exchange(issuer: RunningIssuer) -> tuple[str, Form]:
    return SERVICE, {
        "subject_token": issuer.token(sub="alice@example.com"),
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "audience": "api://default",
        "scope": "api:read",
    }


def _assertion(issuer: RunningIssuer) -> tuple[str, Form]:
    key = JWK.generate(kty="EC", crv="P-256", kid="k")
    keys = {"keys": [key.export_public(as_dict=True)]}
    issuer.put("servers", "default", audience="api://default", trusted_issuers={"https://other.test": keys})
    issuer.put("clients", "app", name="app", secret="s", grant_types=[JWT_BEARER])
    claims: dict[str, Any] = {
        "iss": "https://other.test",
        "sub": "alice@example.com",
        "jti": "1",
        "aud": issuer.issuer_url(),
    }
    claims["exp"] = int(issuer.clock.now()) + 60
    assertion = JWT(header={"alg": "ES256", "kid": "k"}, claims=claims)
    assertion.make_signed_token(key)
    return APP, {"assertion": assertion.serialize(), "scope": "api:read"}


def _refresh(issuer: RunningIssuer) -> tuple[str, Form]:
    return WEB, {"refresh_token": issuer.token(kind="refresh", sub="alice@example.com", scp="openid offline_access")}


REQUESTS: dict[str, Callable[[RunningIssuer], tuple[str, Form]]] = {
    AUTHORIZATION_CODE: _code,
    CIBA: _ciba,
    CLIENT_CREDENTIALS: lambda _: (SERVICE, {"scope": "api:read"}),
    DEVICE_CODE: _device,
    JWT_BEARER: _assertion,
    PASSWORD: lambda _: (WEB, {"username": "alice@example.com", "password": "password", "scope": "openid"}),
    REFRESH_TOKEN: _refresh,
    TOKEN_EXCHANGE: _exchange,
}


def test_each_grant_has_a_request() -> None:
    assert GRANTS.keys() == REQUESTS.keys()


@pytest.mark.parametrize("grant", REQUESTS)
def test_a_grant_binds_its_token(grant: str, issuer: RunningIssuer) -> None:
    credentials, form = REQUESTS[grant](issuer)
    client = DPoPClient()
    headers = {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"} if credentials else {}
    response = client.request(
        "POST", f"{issuer.issuer_url()}/v1/token", form={"grant_type": grant, **form}, headers=headers
    )
    body: dict[str, Any] = response.json()
    assert (200, "DPoP") == (response.status, body.get("token_type"))
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert {"jkt": client.thumbprint} == claims["cnf"]
    # The first request has no nonce; it uses up no code and no assertion.
    assert [400, 200] == [request.status for request in issuer.requests("token").requests]
