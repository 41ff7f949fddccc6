from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import jwt
import pytest
from scripted_browser import CALLBACK, CHALLENGE, SPA, redirected
from seeded_clients import SERVICE

from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]


@pytest.fixture
def get_token(fake_issuer: RunningIssuer, ask: Ask) -> Callable[..., Any]:
    def call(form: dict[str, str] | None = None, *, client: str | None = SERVICE, server: str = "default") -> Any:
        form = {"grant_type": "client_credentials"} if form is None else form
        endpoint = fake_issuer.issuer_url(server) + ("/oauth2/v1/token" if server == "org" else "/v1/token")
        return ask(endpoint, "POST", form=form, client=client)

    return call


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, payload, _ = token.split(".")
    return tuple(json.loads(base64.urlsafe_b64decode(part + "==")) for part in (header, payload))


def test_the_token_verifies_with_the_published_key(fake_issuer: RunningIssuer, get_token: Callable[..., Any]) -> None:
    token = get_token({"grant_type": "client_credentials", "scope": "api:write api:read api:write"}).json()[
        "access_token"
    ]
    key = jwt.PyJWKSet.from_dict(fake_issuer.key_set())[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="api://default", issuer=fake_issuer.issuer_url())
    assert claims["scp"] == ["api:write", "api:read"]


CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


def test_each_server_has_its_own_issuer_and_audience(fake_issuer: RunningIssuer, get_token: Callable[..., Any]) -> None:
    _, claims = parts(get_token(server="partner").json()["access_token"])
    assert (claims["iss"], claims["aud"]) == (fake_issuer.issuer_url("partner"), "api://partner")


def test_the_token_has_the_time_of_the_issuers_clock(fake_issuer: RunningIssuer, get_token: Callable[..., Any]) -> None:
    fake_issuer.clock.set(2_000_000_000)
    fake_issuer.clock.freeze()
    _, claims = parts(get_token().json()["access_token"])
    assert (claims["iat"], claims["exp"]) == (2_000_000_000, 2_000_003_600)


def test_the_strict_profile_follows_the_rfcs(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        url = f"{issuer.issuer_url()}/v1/token"
        header, claims = parts(ask(url, "POST", form=CLIENT_CREDENTIALS, client=SERVICE).json()["access_token"])
        assert header["typ"] == "at+jwt"
        assert list(claims) == ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope"]
        response = ask(url, "POST", form=CLIENT_CREDENTIALS, client="unknown:x")
        assert (response.status, response.json()["error"]) == (401, "invalid_client")
        assert response.headers["WWW-Authenticate"].startswith("Basic ")
        token = issuer.token(sub="alice@example.com", scp="openid groups", dpop_jkt="x")
        assert parts(token)[1]["groups"] == ["Everyone", "Admins"]
        introspected = ask(url[:-5] + "introspect", "POST", form={"token": token}, client=SERVICE).json()
        assert (introspected["active"], introspected["scope"]) == (True, "openid groups")


STRICT_ERRORS: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "two ways to authenticate": (
        {"form": {**CLIENT_CREDENTIALS, "client_id": "x", "client_secret": "x"}, "client": SERVICE},
        (400, "invalid_request"),
    ),
    "no form": ({"body": b"{}", "headers": {"Content-Type": "application/json"}}, (400, "invalid_request")),
    "a grant that no rule fits": ({"form": CLIENT_CREDENTIALS, "client": SERVICE}, (400, "unauthorized_client")),
}


@pytest.mark.parametrize(("sent", "expected"), STRICT_ERRORS.values(), ids=STRICT_ERRORS)
def test_the_strict_profile_has_the_errors_of_rfc_6749(
    ask: Ask, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    with running(profile="strict-rfc") as issuer:
        issuer.put("servers", "default", audience="api://default", policy=[{"grant_types": ["password"]}])
        response = ask(f"{issuer.issuer_url()}/v1/token", "POST", **sent)
    assert (response.status, response.json()["error"]) == expected
    assert response.headers["WWW-Authenticate"] is None
    assert response.headers["Cache-Control"] == "no-cache, no-store"


def test_the_strict_profile_reports_a_missing_verifier_as_invalid_request(ask: Ask) -> None:
    parameters = {"client_id": SPA, "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid"}
    parameters |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    with running(profile="strict-rfc", auto_login="alice@example.com") as issuer:
        redirect_parameters = redirected(ask(f"{issuer.issuer_url()}/v1/authorize?{urlencode(parameters)}"))
        form = {"grant_type": "authorization_code", "client_id": SPA, "code": redirect_parameters["code"]}
        response = ask(f"{issuer.issuer_url()}/v1/token", "POST", form={**form, "redirect_uri": CALLBACK})
    assert (response.status, response.json()["error"]) == (400, "invalid_request")


def test_in_the_strict_profile_the_org_signs_with_a_published_key(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        header, _ = parts(issuer.token(server="org"))
        assert header["typ"] == "at+jwt"
        assert header["kid"] in [key["kid"] for key in issuer.key_set("org")["keys"]]


def test_the_media_type_of_a_form_is_case_insensitive(fake_issuer: RunningIssuer, ask: Ask) -> None:
    sent = {"body": b"grant_type=client_credentials", "client": SERVICE}
    headers = {"Content-Type": "APPLICATION/X-WWW-FORM-URLENCODED"}
    assert ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", **sent, headers=headers).status == 200
