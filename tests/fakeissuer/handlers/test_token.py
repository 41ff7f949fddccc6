from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from fakeissuer.handle import Handle
from fakeissuer.in_process import running

Ask = Callable[..., Any]

SERVICE = "0oaservice0000000001:service-secret"


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


def test_a_service_gets_a_token_in_okta_shape(fake_issuer: Handle, get_token: Callable[..., Any]) -> None:
    answer = get_token()
    assert answer.status == 200
    assert list(answer.json()) == ["token_type", "expires_in", "access_token", "scope"]
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    assert answer.json()["scope"] == "api:read"
    header, claims = parts(answer.json()["access_token"])
    assert list(header) == ["kid", "alg"]
    assert list(claims) == ["ver", "jti", "iss", "aud", "iat", "exp", "cid", "scp", "sub"]
    assert re.fullmatch(r"AT\.[A-Za-z0-9_-]{43}", claims.pop("jti"))
    assert claims.pop("exp") - claims.pop("iat") == 3600
    assert claims == {
        "ver": 1,
        "iss": fake_issuer.issuer_url(),
        "aud": "api://default",
        "cid": "0oaservice0000000001",
        "scp": ["api:read"],
        "sub": "0oaservice0000000001",
    }


def test_its_token_verifies_with_the_published_key(fake_issuer: Handle, get_token: Callable[..., Any]) -> None:
    token = get_token({"grant_type": "client_credentials", "scope": "api:write api:read api:write"}).json()[
        "access_token"
    ]
    key = jwt.PyJWKSet.from_dict(fake_issuer.key_set())[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="api://default", issuer=fake_issuer.issuer_url())
    assert claims["scp"] == ["api:write", "api:read"]


def test_nobody_may_keep_the_answer(get_token: Callable[..., Any]) -> None:
    for answer in (get_token(), get_token(client="unknown:x")):
        assert answer.headers["Cache-Control"] == "no-cache, no-store"
        assert (answer.headers["Pragma"], answer.headers["Expires"]) == ("no-cache", "0")
        assert int(answer.headers["x-rate-limit-remaining"]) < int(answer.headers["x-rate-limit-limit"])
        assert "WWW-Authenticate" not in answer.headers


CLIENT_CREDENTIALS = {"grant_type": "client_credentials"}


@pytest.mark.parametrize(
    ("form", "client", "server", "status", "error"),
    [
        ({}, SERVICE, "default", 400, "invalid_request"),
        ({"grant_type": "magic"}, SERVICE, "default", 400, "unsupported_grant_type"),
        (CLIENT_CREDENTIALS, "0oaweb00000000000001:web-secret", "default", 400, "unauthorized_client"),
        (CLIENT_CREDENTIALS | {"scope": "unknown"}, SERVICE, "default", 400, "invalid_scope"),
        (CLIENT_CREDENTIALS | {"scope": "openid"}, SERVICE, "default", 400, "invalid_scope"),
        (CLIENT_CREDENTIALS | {"scope": "x" * 1025}, SERVICE, "default", 400, "invalid_scope"),
        (CLIENT_CREDENTIALS, SERVICE, "org", 400, "invalid_scope"),
        (CLIENT_CREDENTIALS, "0oaservice0000000001:wrong", "default", 401, "invalid_client"),
        (CLIENT_CREDENTIALS, None, "default", 401, "invalid_client"),
    ],
)
def test_a_refusal_is_in_oauth_shape(
    get_token: Callable[..., Any], form: dict[str, str], client: str | None, server: str, status: int, error: str
) -> None:
    answer = get_token(form, client=client, server=server)
    assert (answer.status, answer.json()["error"]) == (status, error)
    assert list(answer.json()) == ["error", "error_description"]


def test_an_unknown_client_is_refused_in_okta_shape(get_token: Callable[..., Any]) -> None:
    answer = get_token(client="unknown:x")
    assert (answer.status, answer.json()["errorCode"], answer.json()["errorLink"]) == (401, *["invalid_client"] * 2)


def test_the_secret_may_come_in_the_body(get_token: Callable[..., Any]) -> None:
    form = CLIENT_CREDENTIALS | {"client_id": "0oaservice0000000001", "client_secret": "service-secret"}
    assert get_token(form, client=None).status == 200


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


def test_a_429_says_when_to_come_again_and_has_no_retry_after(
    fake_issuer: Handle, get_token: Callable[..., Any]
) -> None:
    fake_issuer.clock.freeze()
    fake_issuer.fail("token", status=429, times=1)
    answer = get_token()
    assert (answer.status, answer.json()["errorCode"]) == (429, "E0000047")
    assert (answer.headers["X-Rate-Limit-Limit"], answer.headers["X-Rate-Limit-Remaining"]) == ("600", "0")
    assert int(answer.headers["X-Rate-Limit-Reset"]) == int(fake_issuer.clock.now()) + 60
    assert answer.headers["Date"] is not None
    assert answer.headers["Retry-After"] is None
