"""The grants without a browser: password, token exchange, jwt-bearer, and what the access policy says of all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT
from seeded import SERVICE

from fakeissuer.grant_types import JWT_BEARER, TOKEN_EXCHANGE
from fakeissuer.handle import Handle

Call = Callable[..., Any]
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ALICE = {"username": "alice@example.com", "password": "password"}


def claims(answer: Any) -> dict[str, Any]:
    return jwt.decode(answer.json()["access_token"], options={"verify_signature": False})


EXCHANGE = {"subject_token_type": ACCESS_TOKEN, "audience": "api://default", "scope": "api:read"}


def test_a_service_acts_for_the_user_who_called_it(fake_issuer: Handle, redeem: Call) -> None:
    token = fake_issuer.token(sub="alice@example.com")
    answer = redeem(TOKEN_EXCHANGE, client=SERVICE, subject_token=token, **EXCHANGE)
    names = ["token_type", "expires_in", "access_token", "scope", "issued_token_type"]
    assert list(answer.json()) == names
    assert (claims(answer)["sub"], claims(answer)["cid"]) == ("alice@example.com", SERVICE.partition(":")[0])


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
