from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from seeded import SERVICE

from fakeissuer.handle import Handle
from fakeissuer.in_process import running

Ask = Callable[..., Any]


@pytest.fixture
def get_token(fake_issuer: Handle, ask: Ask) -> Callable[..., Any]:
    def call(form: dict[str, str] | None = None, *, client: str | None = SERVICE, server: str = "default") -> Any:
        form = {"grant_type": "client_credentials"} if form is None else form
        endpoint = fake_issuer.issuer_url(server) + ("/oauth2/v1/token" if server == "org" else "/v1/token")
        return ask(endpoint, "POST", form=form, client=client)

    return call


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))


def test_its_token_verifies_with_the_published_key(fake_issuer: Handle, get_token: Callable[..., Any]) -> None:
    token = get_token({"grant_type": "client_credentials", "scope": "api:write api:read api:write"}).json()[
        "access_token"
    ]
    key = jwt.PyJWKSet.from_dict(fake_issuer.key_set())[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="api://default", issuer=fake_issuer.issuer_url())
    assert claims["scp"] == ["api:write", "api:read"]


CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


def test_the_partner_has_its_own_audience(fake_issuer: Handle, get_token: Callable[..., Any]) -> None:
    _, claims = parts(get_token(server="partner").json()["access_token"])
    assert (claims["iss"], claims["aud"]) == (fake_issuer.issuer_url("partner"), "api://partner")


def test_a_moved_clock_shows_in_the_token(fake_issuer: Handle, get_token: Callable[..., Any]) -> None:
    fake_issuer.clock.set(2_000_000_000)
    fake_issuer.clock.freeze()
    _, claims = parts(get_token().json()["access_token"])
    assert (claims["iat"], claims["exp"]) == (2_000_000_000, 2_000_003_600)


def test_the_strict_profile_keeps_to_the_rfcs(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        url = f"{issuer.issuer_url()}/v1/token"
        header, claims = parts(ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE).json()["access_token"])
        assert header["typ"] == "at+jwt"
        assert list(claims) == ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"]
        answer = ask(url, "POST", form=CLIENT_CREDENTIALS, client="unknown:x")
        assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
        token = issuer.token(sub="alice@example.com", scp="openid groups", dpop_jkt="x")
        assert parts(token)[1]["groups"] == ["Everyone", "Admins"]
        introspected = ask(url[:-5] + "introspect", "POST", form={"token": token}, client=SERVICE).json()
        assert (introspected["active"], introspected["scope"]) == (True, "openid groups")
