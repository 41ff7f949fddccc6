from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from scripted_browser import CALLBACK, CHALLENGE, SPA, VERIFIER, WEB

from fakeissuer.server.running_issuer import RunningIssuer

Call = Callable[..., Any]
A_DAY_S = 86_400
A_SPA: dict[str, Any] = {"name": "spa", "auth_methods": ["none"], "grant_types": ["refresh_token"]}
SPA_FORM: dict[str, Any] = {"client": None, "client_id": SPA}


@pytest.fixture
def tokens(code: Call, redeem: Call) -> dict[str, Any]:
    """The tokens of the single-page app, whose refresh tokens rotate."""
    parameters = {
        "scope": "openid offline_access api:read",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    sent = code(client_id=SPA, **parameters)
    response = redeem("authorization_code", code=sent, redirect_uri=CALLBACK, code_verifier=VERIFIER, **SPA_FORM)
    tokens: dict[str, Any] = response.json()
    return tokens


@pytest.fixture
def refresh(redeem: Call) -> Call:
    return lambda token, **more: redeem("refresh_token", refresh_token=token, **{**SPA_FORM, **more})


def is_active(fake_issuer: RunningIssuer, ask: Call, token: str) -> bool:
    form = {"token": token, "client_id": SPA}
    return bool(ask(f"{fake_issuer.issuer_url()}/v1/introspect", "POST", form=form).json()["active"])


def test_a_public_client_gets_a_new_refresh_token_each_time(tokens: dict[str, Any], refresh: Call) -> None:
    response = refresh(tokens["refresh_token"]).json()
    assert list(response) == ["token_type", "expires_in", "access_token", "scope", "refresh_token", "id_token"]
    assert response["refresh_token"] != tokens["refresh_token"]
    assert "nonce" not in jwt.decode(response["id_token"], options={"verify_signature": False})


def test_a_rotated_token_is_valid_during_the_leeway_and_then_revokes_its_grant(
    fake_issuer: RunningIssuer, ask: Call, tokens: dict[str, Any], refresh: Call
) -> None:
    first = tokens["refresh_token"]
    second = refresh(first).json()
    fake_issuer.clock.advance(29)
    third = refresh(first).json()
    assert third["refresh_token"] not in (first, second["refresh_token"])
    fake_issuer.clock.advance(2)
    assert refresh(first).json()["error"] == "invalid_grant"
    revoked = [second["refresh_token"], second["access_token"], third["refresh_token"], tokens["access_token"]]
    assert [is_active(fake_issuer, ask, token) for token in revoked] == [False] * 4
    assert refresh(third["refresh_token"]).json()["error"] == "invalid_grant"


def test_an_expired_rotated_token_revokes_its_grant(
    fake_issuer: RunningIssuer, ask: Call, tokens: dict[str, Any], refresh: Call
) -> None:
    fake_issuer.clock.advance(6 * A_DAY_S)
    newest = refresh(tokens["refresh_token"]).json()
    fake_issuer.clock.advance(2 * A_DAY_S)
    assert is_active(fake_issuer, ask, newest["refresh_token"])
    assert refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert not is_active(fake_issuer, ask, newest["refresh_token"])


@pytest.mark.parametrize("leeway", [0, 1, 60])
def test_the_leeway_is_that_of_the_client(
    fake_issuer: RunningIssuer, tokens: dict[str, Any], refresh: Call, leeway: int
) -> None:
    fake_issuer.clock.freeze()
    fake_issuer.put("clients", SPA, **A_SPA, rotation_leeway=leeway)
    refresh(tokens["refresh_token"])
    if leeway:
        fake_issuer.clock.advance(leeway - 1)
        assert refresh(tokens["refresh_token"]).status == 200
        fake_issuer.clock.advance(1)
    assert refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_a_refresh_uses_the_current_registration(
    fake_issuer: RunningIssuer, tokens: dict[str, Any], refresh: Call
) -> None:
    fake_issuer.put("users", "alice@example.com", claims={"team": "blue"}, groups=["Others"])
    fake_issuer.put("servers", "default", audience="a", access_token_lifetime=600, claims={"in": "${user.groups}"})
    response = refresh(tokens["refresh_token"]).json()
    claims = jwt.decode(response["access_token"], options={"verify_signature": False})
    assert (claims["team"], claims["in"], claims["aud"], response["expires_in"]) == ("blue", ["Others"], "a", 600)


@pytest.mark.parametrize(
    ("kind", "name", "members", "status", "error"),
    [
        ("servers", "default", {"policy": []}, 401, "access_denied"),
        ("servers", "default", {"policy": [{"grant_types": ["password"]}]}, 401, "access_denied"),
        ("servers", "default", {"policy": [{"scopes": ["openid"]}]}, 400, "access_denied"),
        ("servers", "default", {"policy": [{"grant_types": ["authorization_code"]}]}, 200, None),
        ("servers", "default", {"scopes": ["openid"], "default_scopes": []}, 400, "invalid_scope"),
        ("clients", SPA, {"users": ["bob@example.com"]}, 400, "access_denied"),
    ],
)
def test_a_refresh_is_limited_by_the_current_policy_and_scopes(
    fake_issuer: RunningIssuer,
    tokens: dict[str, Any],
    refresh: Call,
    kind: Any,
    name: str,
    members: dict[str, Any],
    status: int,
    error: str | None,
) -> None:
    known: dict[str, Any] = {"servers": {"audience": "a"}, "clients": A_SPA}[kind]
    fake_issuer.put(kind, name, **known, **members)
    response = refresh(tokens["refresh_token"])
    assert (response.status, response.json().get("error")) == (status, error)


def test_a_confidential_client_keeps_its_refresh_token_unless_it_rotates(
    fake_issuer: RunningIssuer, code: Call, redeem: Call
) -> None:
    sent = code(scope="openid offline_access")
    token = redeem("authorization_code", code=sent, redirect_uri=CALLBACK).json()["refresh_token"]
    fake_issuer.clock.advance(6 * 86_400)
    assert redeem("refresh_token", refresh_token=token).json()["refresh_token"] == token
    fake_issuer.clock.advance(6 * 86_400)
    assert redeem("refresh_token", refresh_token=token).status == 200
    fake_issuer.put(
        "clients",
        WEB,
        name="web",
        secret="web-secret-for-tests-only-00000000001",
        grant_types=["refresh_token"],
        rotation_type="ROTATE",
    )
    assert redeem("refresh_token", refresh_token=token).json()["refresh_token"] != token


def test_a_refresh_token_expires_after_a_week_without_use(
    fake_issuer: RunningIssuer, tokens: dict[str, Any], refresh: Call
) -> None:
    fake_issuer.clock.advance(7 * 86_400)
    assert refresh(tokens["refresh_token"]).json()["error"] == "invalid_grant"


def test_the_matching_rule_sets_the_idle_lifetime(
    fake_issuer: RunningIssuer, tokens: dict[str, Any], refresh: Call
) -> None:
    fake_issuer.put("servers", "default", audience="a", policy=[{"refresh_token_idle_lifetime": 600}])
    fake_issuer.clock.freeze()
    fake_issuer.clock.advance(A_DAY_S)
    second = refresh(tokens["refresh_token"]).json()["refresh_token"]
    fake_issuer.clock.advance(599)
    third = refresh(second).json()["refresh_token"]
    fake_issuer.clock.advance(600)
    assert refresh(third).json()["error"] == "invalid_grant"


def test_a_refresh_may_narrow_the_scopes_but_not_widen_them(tokens: dict[str, Any], refresh: Call) -> None:
    narrow = refresh(tokens["refresh_token"], scope="api:read").json()
    assert (narrow["scope"], "id_token" in narrow) == ("api:read", False)
    assert refresh(narrow["refresh_token"]).json()["scope"] == "openid offline_access api:read"
    response = refresh(tokens["refresh_token"], scope="api:write")
    assert (response.status, response.json()["error"]) == (400, "access_denied")


def test_a_refresh_token_is_valid_only_for_its_client_and_server(
    fake_issuer: RunningIssuer, ask: Call, tokens: dict[str, Any], refresh: Call, redeem: Call
) -> None:
    token = tokens["refresh_token"]
    responses = [
        redeem("refresh_token", refresh_token=token),
        refresh(token, server="partner"),
        refresh(tokens["access_token"]),
        refresh("unknown"),
        redeem("refresh_token"),
    ]
    assert [response.json()["error"] for response in responses] == ["invalid_grant"] * 5
    form = {"token": token, "client_id": SPA}
    assert ask(f"{fake_issuer.issuer_url()}/v1/revoke", "POST", form=form).status == 200
    assert refresh(token).json()["error"] == "invalid_grant"
    assert not is_active(fake_issuer, ask, tokens["access_token"])


def test_a_minted_refresh_token_can_be_used(fake_issuer: RunningIssuer, redeem: Call) -> None:
    token = fake_issuer.token(kind="refresh", sub="bob@example.com", scp="openid api:read")
    response = redeem("refresh_token", refresh_token=token)
    assert (response.status, response.json()["expires_in"], response.json()["scope"]) == (200, 3600, "openid api:read")
