"""The grants without a browser: password, token exchange, jwt-bearer, and what the access policy says of all."""

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


def claims(answer: Any) -> dict[str, Any]:
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


EXCHANGE = {"subject_token_type": ACCESS_TOKEN, "audience": "api://default", "scope": "api:read"}


def test_a_service_acts_for_the_user_who_called_it(fake_issuer: RunningIssuer, redeem: Call) -> None:
    token = fake_issuer.token(sub="alice@example.com")
    answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    names = ["token_type", "expires_in", "access_token", "scope", "issued_token_type"]
    assert list(answer.json()) == names
    assert (claims(answer)["sub"], claims(answer)["cid"]) == ("alice@example.com", SERVICE.partition(":")[0])


def test_an_expired_or_a_clients_own_token_is_exchanged_for_nothing(fake_issuer: RunningIssuer, redeem: Call) -> None:
    for token in (fake_issuer.token(sub="alice@example.com", expires_in=-1), fake_issuer.token()):
        answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
        assert answer.json()["error"] == "invalid_grant"


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
def test_a_token_of_another_server_is_exchanged_for_nothing(
    fake_issuer: RunningIssuer, redeem: Call, subject: dict[str, Any]
) -> None:
    if subject.get("claims") == {"iss": "own"}:
        subject = {**subject, "claims": {"iss": fake_issuer.issuer_url()}}
    token = fake_issuer.token(sub="alice@example.com", **subject)
    answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    assert (answer.status, answer.json().get("error")) == (400, "invalid_grant")


def test_a_server_that_is_named_as_trusted_vouches_for_its_tokens(fake_issuer: RunningIssuer, redeem: Call) -> None:
    token = fake_issuer.token(server="partner", sub="alice@example.com")
    trusted = {fake_issuer.issuer_url("partner"): fake_issuer.key_set("partner")}
    fake_issuer.put("servers", "default", audience="api://default", trusted_issuers=trusted)
    answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    assert claims(answer)["sub"] == "alice@example.com"
    fake_issuer.remove("servers", "partner")
    assert redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE).json()["error"] == "invalid_grant"


def test_what_was_exchanged_dies_with_what_it_came_from(
    fake_issuer: RunningIssuer, ask: Call, code: Call, redeem: Call
) -> None:
    sent = code(scope="api:read")
    first = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()["access_token"]
    chain, alone = [first], fake_issuer.token(sub="alice@example.com")
    for _ in range(2):
        answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=chain[-1], **EXCHANGE)
        chain.append(answer.json()["access_token"])
    of_nobody_else = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=alone, **EXCHANGE).json()["access_token"]
    redeem("authorization_code", code=sent, redirect_uri=CALLBACK)
    url = f"{fake_issuer.issuer_url()}/v1/introspect"
    active = [
        ask(url, "POST", form={"token": token}, client=SERVICE).json()["active"]
        for token in (*chain, alone, of_nobody_else)
    ]
    assert active == [False, False, False, True, True]


def test_an_app_signed_in_by_another_dies_with_it_and_not_the_other_way_round(
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
        got: dict[str, Any] = redeem(TOKEN_EXCHANGE, client="app:s", **form).json()
        return got

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
    """The grant, for an assertion of a trusted issuer with these claims."""
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


def test_a_trusted_issuer_vouches_for_a_user_once(bearer: Call) -> None:
    answer = bearer()
    assert answer.status == 200, answer.body
    assert claims(answer)["sub"] == "alice@example.com"
    answer = bearer()
    assert (answer.status, answer.json()["error"]) == (400, "invalid_grant")
    assert bearer(jti="2").status == 200


def test_a_server_trusts_the_other_servers_of_its_org(fake_issuer: RunningIssuer, bearer: Call, redeem: Call) -> None:
    own = fake_issuer.token(server="partner", sub="bob@example.com", aud=fake_issuer.issuer_url())
    answer = redeem(JWT_BEARER, client="app:s", assertion=own, scope="api:read")
    assert claims(answer)["sub"] == "bob@example.com"
    assert redeem(JWT_BEARER, client="app:s", assertion="x", scope="api:read").json()["error"] == "invalid_grant"
    assert redeem(JWT_BEARER, client="app:s", scope="api:read", client_id="other").status == 401


def test_a_dynamic_server_takes_assertions_by_the_name_that_it_was_called_by(
    fake_issuer: RunningIssuer, ask: Call
) -> None:
    for server in ("default", "partner"):
        fake_issuer.put("servers", server, audience=f"api://{server}", issuer_mode="DYNAMIC")
    fake_issuer.put("clients", "app", name="app", secret="s", grant_types=[JWT_BEARER])
    endpoint = "http://vanity.test/oauth2/default/v1/token"
    elsewhere = {"iss": "http://vanity.test/oauth2/partner"}
    for claims_of in ({"claims": elsewhere}, {}):  # an issuer is also called what it is called where nobody calls
        assertion = fake_issuer.token(server="partner", sub="bob@example.com", aud=endpoint, **claims_of)
        form = {"grant_type": JWT_BEARER, "assertion": assertion, "scope": "api:read"}
        url, host = f"{fake_issuer.issuer_url()}/v1/token", {"Host": "vanity.test"}
        answer = ask(url, "POST", form=form, client="app:s", headers=host)
        assert answer.status == 200, answer.body


ADMINS_ALONE = [
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
def test_the_first_rule_that_fits_counts(
    fake_issuer: RunningIssuer, redeem: Call, grant: str, form: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    if grant == TOKEN_EXCHANGE:
        form = {**form, "subject_token": fake_issuer.token(sub="alice@example.com")}
    fake_issuer.put("servers", "default", audience="api://default", policy=ADMINS_ALONE)
    answer = redeem(grant, **form)
    assert (answer.status, answer.json().get("error")) == expected
    if grant == "password" and answer.status == 200:
        assert answer.json()["expires_in"] == 300
