from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from seeded_clients import API

from fakeissuer.control.bad_tokens import other_kinds
from fakeissuer.server.in_process import running
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]

INACTIVE = b'{"active":false}'


@pytest.fixture
def introspect(fake_issuer: RunningIssuer, ask: Ask) -> Callable[..., Any]:
    def call(token: str, server: str = "default", **more: str) -> Any:
        url = fake_issuer.issuer_url(server) + ("/oauth2/v1/introspect" if server == "org" else "/v1/introspect")
        return ask(url, "POST", form={"token": token, **more}, client=API)

    return call


def test_an_id_token_is_active(fake_issuer: RunningIssuer, introspect: Callable[..., Any]) -> None:
    assert introspect(fake_issuer.token(kind="id")).json()["active"] is True


def test_an_invalid_token_is_inactive(fake_issuer: RunningIssuer, introspect: Callable[..., Any]) -> None:
    revoked, expiring = fake_issuer.token(), fake_issuer.token(expires_in=60)
    fake_issuer.revoke(revoked)
    fake_issuer.clock.advance(61)
    tokens = [
        revoked,
        expiring,
        fake_issuer.token(server="partner"),
        fake_issuer.token(server="org"),
        fake_issuer.token(expires_in=-1),
        fake_issuer.token(claims={"exp": None}),
        fake_issuer.token(claims={"exp": 10**400}),
        fake_issuer.token(claims={"nbf": 10**400}),
        fake_issuer.token(claims={"exp": "soon"}),
        fake_issuer.token(claims={"exp": True}),
        fake_issuer.token(claims={"nbf": 4_102_444_800}),
        fake_issuer.token(claims={"iss": "https://elsewhere.test"}),
        fake_issuer.token(key="unpublished"),
        fake_issuer.token(alg="HS256"),
        fake_issuer.token(alg="none"),
        fake_issuer.token(kind="refresh", expires_in=-1),
        fake_issuer.token()[:-1],
        "nonsense",
        "é\n",
    ]
    assert [introspect(token).body for token in tokens] == [INACTIVE] * len(tokens)


FORGED_CLAIMS: dict[str, Any] = {
    "active": False,
    "username": "evil",
    "token_type": "nope",
    "scope": "all",
    "client_id": "x",
}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"sub": "alice@example.com", "scp": "api:read"}, {"username": "alice@example.com"}),
        ({"scp": "api:read"}, {}),
    ],
)
def test_a_claim_does_not_replace_a_member_of_the_response(
    fake_issuer: RunningIssuer, introspect: Callable[..., Any], members: dict[str, Any], expected: dict[str, Any]
) -> None:
    plain = introspect(fake_issuer.token(**members)).json()
    introspected = introspect(fake_issuer.token(**members, claims={**FORGED_CLAIMS, "team": "red"})).json()
    assert list(introspected) == [*plain, "team"]
    own = {"active": True, "token_type": "Bearer", "scope": "api:read", "client_id": plain["client_id"], **expected}
    assert {name: introspected[name] for name in FORGED_CLAIMS if name in introspected} == own


def test_a_token_without_scopes_has_no_scope_member(fake_issuer: RunningIssuer, introspect: Callable[..., Any]) -> None:
    introspected = introspect(fake_issuer.token(claims={"scp": None})).json()
    assert (introspected["active"], "scope" in introspected) == (True, False)


def test_an_id_token_with_a_claim_named_active_is_active(
    fake_issuer: RunningIssuer, introspect: Callable[..., Any]
) -> None:
    introspected = introspect(fake_issuer.token(kind="id", claims={"active": False})).json()
    assert (next(iter(introspected)), introspected["active"]) == ("active", True)


def test_the_strict_profile_uses_the_member_names_of_rfc_7662(ask: Ask) -> None:
    with running(profile="strict-rfc") as issuer:
        token = issuer.token(sub="alice@example.com", scp="api:read api:write")
        introspected = ask(f"{issuer.issuer_url()}/v1/introspect", "POST", form={"token": token}, client=API).json()
    assert (introspected["scope"], introspected["client_id"]) == ("api:read api:write", "0oaweb00000000000001")
    assert list(introspected)[:2] == ["active", "scope"]


def test_bad_tokens_are_inactive_except_those_of_another_kind(
    fake_issuer: RunningIssuer, introspect: Callable[..., Any]
) -> None:
    # The issuer has issued these tokens; only an API must reject them.
    own = {"id-token", "id-token-for-this-audience", "refresh-token", *(row.name for row in other_kinds.ROWS)}
    own.remove("userinfo-response")  # without an expiration it is no token
    active = {bad.name for bad in fake_issuer.bad_tokens() if introspect(bad.token).body != INACTIVE}
    assert active == own


def test_a_token_is_active_only_at_its_server(fake_issuer: RunningIssuer, introspect: Callable[..., Any]) -> None:
    for issuing in ("default", "partner", "org"):
        token = fake_issuer.token(server=issuing)
        active = [server for server in ("default", "partner", "org") if introspect(token, server).json()["active"]]
        assert active == [issuing]


JWT = "application/token-introspection+jwt"


@pytest.mark.parametrize("server", ["default", "org"])
def test_a_client_that_accepts_a_jwt_gets_a_signed_one(fake_issuer: RunningIssuer, ask: Ask, server: str) -> None:
    url = fake_issuer.issuer_url(server) + ("/oauth2/v1/introspect" if server == "org" else "/v1/introspect")
    token = fake_issuer.token(server=server, sub="alice@example.com")
    for accept in (JWT, f"application/json;q=0.1, {JWT.upper()};q=1"):
        response = ask(url, "POST", form={"token": token}, client=API, headers={"Accept": accept})
        assert (response.status, response.headers["Content-Type"]) == (200, JWT)
        text = response.body.decode()
        header = jwt.get_unverified_header(text)
        active_kid = next(key.kid for key in fake_issuer.keys(server) if key.status == "ACTIVE")
        assert header == {"kid": active_kid, "alg": "RS256", "typ": "token-introspection+jwt"}
        key = jwt.PyJWKSet.from_dict(fake_issuer.key_set(server))[active_kid]
        claims = jwt.decode(text, key, algorithms=["RS256"], audience="0oaapi00000000000001")
        assert list(claims) == ["iss", "aud", "iat", "token_introspection"]
        assert claims["iss"] == fake_issuer.issuer_url(server)
        assert claims["token_introspection"] == ask(url, "POST", form={"token": token}, client=API).json()


def test_a_jwt_about_an_inactive_token_has_no_other_members(fake_issuer: RunningIssuer, ask: Ask) -> None:
    url = f"{fake_issuer.issuer_url()}/v1/introspect"
    response = ask(url, "POST", form={"token": "nonsense"}, client=API, headers={"Accept": JWT})
    claims = jwt.decode(response.body.decode(), options={"verify_signature": False})
    assert claims["token_introspection"] == {"active": False}


def test_an_opaque_token_can_be_introspected(fake_issuer: RunningIssuer, introspect: Callable[..., Any]) -> None:
    minted = fake_issuer.mint(sub="alice@example.com", opaque=True)
    assert "." not in minted.token
    response = introspect(minted.token).json()
    assert (response["active"], response["sub"], response["jti"]) == (True, "alice@example.com", minted.claims["jti"])
    fake_issuer.revoke(minted.token)
    assert introspect(minted.token).body == INACTIVE
