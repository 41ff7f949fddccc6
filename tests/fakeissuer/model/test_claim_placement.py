from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from scripted_browser import CALLBACK

from fakeissuer import InvalidRequestError
from fakeissuer.server.running_issuer import RunningIssuer

Ask = Callable[..., Any]
WEB = "0oaweb00000000000001:web-secret-for-tests-only-00000000001"
CUSTOM = {"claims": {"team": "red"}, "id_token_claims": {"team": "red"}}


@pytest.mark.parametrize(
    ("placement", "scope", "places"),
    [
        ({}, "openid", {"access_token", "userinfo"}),
        ({"id_token": "always"}, "openid", {"access_token", "id_token", "userinfo"}),
        ({"access_token": False}, "openid", {"userinfo"}),
        ({"userinfo": False}, "openid", {"access_token"}),
        ({"scopes": ["api:read"], "id_token": "always"}, "openid", set()),
        ({"scopes": ["api:read", "email"]}, "openid email", {"access_token", "userinfo"}),
    ],
)
def test_a_custom_claim_is_where_its_placement_says(
    fake_issuer: RunningIssuer, ask: Ask, placement: dict[str, Any], scope: str, places: set[str]
) -> None:
    fake_issuer.put("servers", "default", audience="api://default", claim_placement={"team": placement}, **CUSTOM)
    fake_issuer.put("users", "ann")
    form = {"grant_type": "password", "username": "ann", "password": "password", "scope": scope}
    tokens = ask(f"{fake_issuer.issuer_url()}/v1/token", "POST", form=form, client=WEB).json()
    seen = {
        name: jwt.decode(tokens[name], options={"verify_signature": False}) for name in ("access_token", "id_token")
    }
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    seen["userinfo"] = ask(f"{fake_issuer.issuer_url()}/v1/userinfo", headers=bearer).json()
    assert places == {name for name, claims in seen.items() if "team" in claims}


def test_groups_need_no_scope_if_their_placement_says_so(fake_issuer: RunningIssuer) -> None:
    assert "groups" not in fake_issuer.mint(sub="ann", scp="openid").claims
    fake_issuer.put("servers", "default", audience="api://default", claim_placement={"groups": {}})
    assert fake_issuer.mint(sub="ann", scp="openid").claims["groups"] == ["Everyone"]


def test_access_tokens_of_the_org_server_have_no_groups(fake_issuer: RunningIssuer) -> None:
    fake_issuer.put("users", "ann", claims={"team": "red"})
    minted = fake_issuer.mint(server="org", sub="ann", scp="openid groups").claims
    assert {"groups", "team"}.isdisjoint(minted)
    assert fake_issuer.mint(server="org", kind="id", sub="ann", scp="openid groups").claims["groups"] == ["Everyone"]


def test_a_placement_for_an_unknown_scope_is_rejected(fake_issuer: RunningIssuer) -> None:
    with pytest.raises(InvalidRequestError, match=r"claim_placement\.team\.scopes names 'x'"):
        fake_issuer.put("servers", "default", audience="a", claim_placement={"team": {"scopes": ["x"]}})


def test_too_many_groups_fail_at_the_token_endpoint_and_not_at_authorize(
    fake_issuer: RunningIssuer, code: Callable[..., str], redeem: Ask
) -> None:
    groups = [f"group {number}" for number in range(101)]
    fake_issuer.put("users", "alice@example.com", groups=groups)
    response = redeem("authorization_code", code=code(scope="openid groups"), redirect_uri=CALLBACK)
    assert (response.status, response.json()["error"]) == (400, "server_error")
