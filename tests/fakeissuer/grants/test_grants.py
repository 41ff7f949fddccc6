"""The grants without a browser: password, token exchange, jwt-bearer, and what the access policy says of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from fakeissuer.entries import JWT_BEARER, TOKEN_EXCHANGE
from fakeissuer.handle import Handle

Call = Callable[..., Any]
SERVICE = "0oaservice0000000001:service-secret"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ALICE = {"username": "alice@example.com", "password": "password"}


def claims(answer: Any) -> dict[str, Any]:
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


def test_a_user_gives_the_client_the_password(redeem: Call) -> None:
    answer = redeem("password", scope="openid offline_access", **ALICE)
    assert list(answer.json())[-2:] == ["refresh_token", "id_token"]
    assert claims(answer)["sub"] == "alice@example.com"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"password": "wrong"}, 400, "invalid_grant"),
        ({"username": "nobody"}, 400, "invalid_grant"),
        ({"scope": "profile"}, 403, "access_denied"),
        ({"scope": "unknown"}, 400, "invalid_scope"),
    ],
)
def test_a_password_grant_is_refused(redeem: Call, form: dict[str, str], status: int, error: str) -> None:
    answer = redeem("password", **{**ALICE, **form})
    assert (answer.status, answer.json()["error"]) == (status, error)


EXCHANGE = {"subject_token_type": ACCESS_TOKEN, "audience": "api://default", "scope": "api:read"}


def test_a_service_acts_for_the_user_who_called_it(fake_issuer: Handle, redeem: Call) -> None:
    token = fake_issuer.token(sub="alice@example.com")
    answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    names = ["token_type", "expires_in", "access_token", "scope", "issued_token_type"]
    assert list(answer.json()) == names
    assert (claims(answer)["sub"], claims(answer)["cid"]) == ("alice@example.com", SERVICE.partition(":")[0])


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"subject_token": ""}, "invalid_request"),
        ({"subject_token_type": "x"}, "invalid_request"),
        ({"requested_token_type": "x"}, "invalid_request"),
        ({"scope": "openid"}, "invalid_request"),
        ({"audience": "api://elsewhere"}, "invalid_target"),
        ({"subject_token": "nonsense"}, "invalid_grant"),
    ],
)
def test_an_exchange_is_refused(fake_issuer: Handle, redeem: Call, form: dict[str, str], error: str) -> None:
    good = {"subject_token": fake_issuer.token(sub="alice@example.com"), **EXCHANGE}
    answer = redeem(TOKEN_EXCHANGE, client=SERVICE, **{**good, **form})
    assert (answer.status, answer.json()["error"]) == (400, error)


def test_an_expired_or_a_clients_own_token_is_exchanged_for_nothing(fake_issuer: Handle, redeem: Call) -> None:
    for token in (fake_issuer.token(sub="alice@example.com", expires_in=-1), fake_issuer.token()):
        answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
        assert answer.json()["error"] == "invalid_grant"


KEY = JWK.generate(kty="EC", crv="P-256", kid="k")


@pytest.fixture
def bearer(fake_issuer: Handle, redeem: Call) -> Call:
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


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"iss": "https://unknown.test"}, 401, "invalid_token"),
        ({"iss": ["x"]}, 401, "invalid_token"),
        ({"aud": "https://elsewhere.test"}, 400, "invalid_grant"),
        ({"exp": 1}, 400, "invalid_grant"),
        ({"sub": ""}, 400, "invalid_grant"),
        ({"scope": "openid"}, 400, "invalid_scope"),
    ],
)
def test_an_assertion_is_refused(bearer: Call, changes: dict[str, Any], status: int, error: str) -> None:
    answer = bearer(**changes)
    assert (answer.status, answer.json()["error"]) == (status, error)


def test_a_server_trusts_the_other_servers_of_its_org(fake_issuer: Handle, bearer: Call, redeem: Call) -> None:
    own = fake_issuer.token(server="partner", sub="bob@example.com", aud=fake_issuer.issuer_url())
    answer = redeem(JWT_BEARER, client="app:s", assertion=own, scope="api:read")
    assert claims(answer)["sub"] == "bob@example.com"
    assert redeem(JWT_BEARER, client="app:s", assertion="x", scope="api:read").json()["error"] == "invalid_grant"
    assert redeem(JWT_BEARER, client="app:s", scope="api:read", client_id="other").status == 401


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
    fake_issuer: Handle, redeem: Call, grant: str, form: dict[str, Any], expected: tuple[int, str | None]
) -> None:
    if grant == TOKEN_EXCHANGE:
        form = {**form, "subject_token": fake_issuer.token(sub="alice@example.com")}
    fake_issuer.put("servers", "default", audience="api://default", policy=ADMINS_ALONE)
    answer = redeem(grant, **form)
    assert (answer.status, answer.json().get("error")) == expected
    if grant == "password" and answer.status == 200:
        assert answer.json()["expires_in"] == 300


def test_a_token_names_no_more_than_a_hundred_groups(fake_issuer: Handle, redeem: Call) -> None:
    fake_issuer.put("users", "many", groups=[f"g{number}" for number in range(101)])
    answer = redeem("password", username="many", password="password", scope="openid groups")
    assert (answer.status, answer.json()["error"]) == (400, "server_error")
