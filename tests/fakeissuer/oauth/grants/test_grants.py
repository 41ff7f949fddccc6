"""The grants without a browser: password, token exchange and JWT bearer, and the access policy for all grants."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from scripted_browser import CALLBACK
from seeded_clients import SERVICE

from fakeissuer.model.grant_types import JWT_BEARER, TOKEN_EXCHANGE
from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ALICE = {"username": "alice@example.com", "password": "password"}


def claims(response: Any) -> dict[str, Any]:
    return jwt.decode(response.json()["access_token"], options={"verify_signature": False})


EXCHANGE = {"subject_token_type": ACCESS_TOKEN, "audience": "api://default", "scope": "api:read"}


def test_a_service_acts_for_the_user_who_called_it(fake_issuer: RunningIssuer, redeem: Call) -> None:
    token = fake_issuer.token(sub="alice@example.com")
    response = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    names = ["token_type", "expires_in", "access_token", "scope", "issued_token_type"]
    assert list(response.json()) == names
    assert (claims(response)["sub"], claims(response)["cid"]) == ("alice@example.com", SERVICE.partition(":")[0])


def test_an_expired_token_or_one_without_a_user_cannot_be_exchanged(fake_issuer: RunningIssuer, redeem: Call) -> None:
    for token in (fake_issuer.token(sub="alice@example.com", expires_in=-1), fake_issuer.token()):
        response = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
        assert response.json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "subject",
    [
        {"server": "partner"},
        {"server": "org"},
        {"server": "partner", "claims": {"iss": "own"}},
        {"claims": {"iss": "https://elsewhere.test"}},
        {"claims": {"iss": ["x"]}},
    ],
)
def test_a_token_of_another_server_cannot_be_exchanged(
    fake_issuer: RunningIssuer, redeem: Call, subject: dict[str, Any]
) -> None:
    if subject.get("claims") == {"iss": "own"}:
        subject = {**subject, "claims": {"iss": fake_issuer.issuer_url()}}
    token = fake_issuer.token(sub="alice@example.com", **subject)
    response = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    assert (response.status, response.json().get("error")) == (400, "invalid_grant")


def test_a_token_of_a_trusted_server_can_be_exchanged(fake_issuer: RunningIssuer, redeem: Call) -> None:
    token = fake_issuer.token(server="partner", sub="alice@example.com")
    trusted = {fake_issuer.issuer_url("partner"): fake_issuer.key_set("partner")}
    fake_issuer.put("servers", "default", audience="api://default", trusted_issuers=trusted)
    response = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    assert claims(response)["sub"] == "alice@example.com"
    fake_issuer.remove("servers", "partner")
    assert redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE).json()["error"] == "invalid_grant"


def test_exchanged_tokens_are_revoked_with_their_subject_token(
    fake_issuer: RunningIssuer, ask: Call, code: Call, redeem: Call
) -> None:
    sent = code(scope="api:read")
    first = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()["access_token"]
    chain, alone = [first], fake_issuer.token(sub="alice@example.com")
    for _ in range(2):
        response = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=chain[-1], **EXCHANGE)
        chain.append(response.json()["access_token"])
    unrelated = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=alone, **EXCHANGE).json()["access_token"]
    redeem("authorization_code", code=sent, redirect_uri=CALLBACK)
    url = f"{fake_issuer.issuer_url()}/v1/introspect"
    active = [
        ask(url, "POST", form={"token": token}, client=SERVICE).json()["active"] for token in (*chain, alone, unrelated)
    ]
    assert active == [False, False, False, True, True]


def test_tokens_of_a_second_app_are_revoked_with_those_of_the_first_but_not_vice_versa(
    fake_issuer: RunningIssuer, ask: Call, code: Call, redeem: Call
) -> None:
    fake_issuer.clock.freeze()
    grants = {"name": "app", "secret": "s", "grant_types": [TOKEN_EXCHANGE, "refresh_token"]}
    fake_issuer.put("clients", "app", **grants, rotation_type="ROTATE", rotation_leeway=0)
    sent = code(scope="openid offline_access device_sso")
    first = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()

    def second_app() -> dict[str, Any]:
        form = {
            "subject_token": first["id_token"],
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "actor_token": first["device_secret"],
            "actor_token_type": "urn:x-oath:params:oauth:token-type:device-secret",
            "audience": fake_issuer.issuer_url(),
            "scope": "openid offline_access",
        }
        tokens: dict[str, Any] = redeem(TOKEN_EXCHANGE, client="app:s", **form).json()
        return tokens

    def active(*tokens: str) -> list[bool]:
        url = f"{fake_issuer.issuer_url()}/v1/introspect"
        return [ask(url, "POST", form={"token": token}, client=SERVICE).json()["active"] for token in tokens]

    reused, other = second_app(), second_app()
    for _ in range(2):
        redeem("refresh_token", client="app:s", refresh_token=reused["refresh_token"])
    shown = [reused["access_token"], other["access_token"], first["access_token"]]
    assert active(*shown) == [False, True, True]
    redeem("authorization_code", code=sent, redirect_uri=CALLBACK)
    assert active(*shown, other["refresh_token"]) == [False] * 4


KEY = JWK.generate(kty="EC", crv="P-256", kid="k")


@pytest.fixture
def bearer(fake_issuer: RunningIssuer, redeem: Call) -> Call:
    """Send an assertion of a trusted issuer with these claims."""
    keys = {"keys": [KEY.export_public(as_dict=True)]}
    fake_issuer.put("servers", "default", audience="api://default", trusted_issuers={"https://other.test": keys})
    fake_issuer.put("clients", "app", name="app", secret="s", grant_types=[JWT_BEARER])
    good: dict[str, Any] = {"iss": "https://other.test", "sub": "alice@example.com", "jti": "1"}
    good |= {"aud": fake_issuer.issuer_url(), "exp": int(fake_issuer.clock.now()) + 60}

    def call(scope: str = "api:read", **changes: Any) -> Any:
        assertion = JWT(header={"alg": "ES256", "kid": "k"}, claims={**good, **changes})
        assertion.make_signed_token(KEY)
        return redeem(JWT_BEARER, client="app:s", assertion=assertion.serialize(), scope=scope)

    return call


def test_an_assertion_of_a_trusted_issuer_is_accepted_once(bearer: Call) -> None:
    response = bearer()
    assert response.status == 200, response.body
    assert claims(response)["sub"] == "alice@example.com"
    response = bearer()
    assert (response.status, response.json()["error"]) == (400, "invalid_grant")
    assert bearer(jti="2").status == 200


def test_a_server_trusts_the_other_servers_of_its_org(fake_issuer: RunningIssuer, bearer: Call, redeem: Call) -> None:
    own = fake_issuer.token(server="partner", sub="bob@example.com", aud=fake_issuer.issuer_url())
    response = redeem(JWT_BEARER, client="app:s", assertion=own, scope="api:read")
    assert claims(response)["sub"] == "bob@example.com"
    assert redeem(JWT_BEARER, client="app:s", assertion="x", scope="api:read").json()["error"] == "invalid_grant"
    assert redeem(JWT_BEARER, client="app:s", scope="api:read", client_id="other").status == 401


def test_a_dynamic_server_accepts_assertions_with_the_url_of_the_request(fake_issuer: RunningIssuer, ask: Call) -> None:
    for server in ("default", "partner"):
        fake_issuer.put("servers", server, audience=f"api://{server}", issuer_mode="DYNAMIC")
    fake_issuer.put("clients", "app", name="app", secret="s", grant_types=[JWT_BEARER])
    endpoint = "http://vanity.test/oauth2/default/v1/token"
    elsewhere = {"iss": "http://vanity.test/oauth2/partner"}
    for claims_of in ({"claims": elsewhere}, {}):  # a minted token has the public URL as its issuer
        assertion = fake_issuer.token(server="partner", sub="bob@example.com", aud=endpoint, **claims_of)
        form = {"grant_type": JWT_BEARER, "assertion": assertion, "scope": "api:read"}
        url, host = f"{fake_issuer.issuer_url()}/v1/token", {"Host": "vanity.test"}
        response = ask(url, "POST", form=form, client="app:s", headers=host)
        assert response.status == 200, response.body


ONLY_ADMINS = [
    {"grant_types": ["password"], "groups": ["Admins"], "scopes": ["api:read"], "access_token_lifetime": 300},
    {"grant_types": ["client_credentials"], "clients": ["0oaservice0000000001"]},
]


@pytest.mark.parametrize(
    ("grant", "form", "expected"),
    [
        ("password", {**ALICE, "scope": "api:read"}, (200, None)),
        ("password", {**ALICE, "scope": "api:write"}, (400, "access_denied")),
        ("password", {**ALICE, "username": "bob@example.com", "scope": "api:read"}, (401, "access_denied")),
        ("client_credentials", {"client": SERVICE}, (200, None)),
        (TOKEN_EXCHANGE, {"client": SERVICE, **EXCHANGE}, (401, "access_denied")),
    ],
)
def test_the_first_matching_rule_applies(
    fake_issuer: RunningIssuer, redeem: Call, grant: str, form: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    if grant == TOKEN_EXCHANGE:
        form = {**form, "subject_token": fake_issuer.token(sub="alice@example.com")}
    fake_issuer.put("servers", "default", audience="api://default", policy=ONLY_ADMINS)
    response = redeem(grant, **form)
    assert (response.status, response.json().get("error")) == expected
    if grant == "password" and response.status == 200:
        assert response.json()["expires_in"] == 300
