from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fakeissuer.handle import Handle

Ask = Callable[..., Any]


@pytest.fixture
def userinfo(fake_issuer: Handle, ask: Ask) -> Callable[..., Any]:
    def call(authorization: str | None, query: str = "", method: str = "GET", **more: Any) -> Any:
        headers = {} if authorization is None else {"Authorization": authorization}
        return ask(f"{fake_issuer.issuer_url()}/v1/userinfo{query}", method, headers=headers, **more)

    return call


def test_tells_what_the_scopes_allow_in_okta_order(fake_issuer: Handle, userinfo: Callable[..., Any]) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid profile email groups")
    claims = userinfo(f"Bearer {token}").json()
    assert list(claims) == [
        "sub",
        "name",
        "locale",
        "email",
        "preferred_username",
        "given_name",
        "family_name",
        "zoneinfo",
        "updated_at",
        "email_verified",
        "groups",
    ]
    assert claims["sub"] == fake_issuer.entry("users", "alice@example.com")["id"]
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    assert list(userinfo(f"bearer {token}", method="POST", form={}).json()) == ["sub"]


@pytest.mark.parametrize("flaw", ["missing", "nonsense", "basic", "revoked", "expired", "partner", "id"])
def test_a_token_that_is_not_good_is_answered_with_a_challenge(
    fake_issuer: Handle, userinfo: Callable[..., Any], flaw: str
) -> None:
    token = fake_issuer.token(
        sub="alice@example.com",
        scp="openid",
        server="partner" if flaw == "partner" else "default",
        expires_in=-1 if flaw == "expired" else None,
        kind="id" if flaw == "id" else "access",
    )
    if flaw == "revoked":
        fake_issuer.revoke(token)
    given = {"missing": None, "nonsense": "Bearer nonsense", "basic": "Basic x"}.get(flaw, f"Bearer {token}")
    answer = userinfo(given)
    assert (answer.status, answer.body) == (401, b"")
    assert answer.headers["WWW-Authenticate"] == (
        f'Bearer authorization_uri="{fake_issuer.issuer_url()}/v1/authorize", realm="{fake_issuer.url}", '
        'scope="openid", error="invalid_token", '
        'error_description="The access token is missing, invalid or expired.", '
        'resource="/oauth2/default/v1/userinfo"'
    )


def test_a_token_without_openid_is_not_enough(fake_issuer: Handle, userinfo: Callable[..., Any]) -> None:
    for token in (fake_issuer.token(), fake_issuer.token(sub="alice@example.com", scp="profile")):
        answer = userinfo(f"Bearer {token}")
        assert answer.status == 403
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_a_token_in_the_wrong_place_is_an_invalid_request(fake_issuer: Handle, userinfo: Callable[..., Any]) -> None:
    token = fake_issuer.token(sub="alice@example.com", scp="openid")
    assert userinfo(None, f"?access_token={token}").status == 400
    assert userinfo(f"Bearer {token}", method="POST", form={"access_token": token}).status == 400
