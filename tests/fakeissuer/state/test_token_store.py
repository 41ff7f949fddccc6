from __future__ import annotations

from typing import Any

import pytest

from fakeissuer.state.token_store import IssuedToken, TokenKind, TokenStore


def issued(kind: TokenKind = "access", refresh_token_id: str | None = None, **claims: Any) -> IssuedToken:
    return IssuedToken(
        kind=kind,
        server="default",
        client_id="client",
        username=None,
        scopes=(),
        claims={"exp": 100, **claims},
        refresh_token_id=refresh_token_id,
    )


@pytest.mark.parametrize(
    ("claims", "now", "active"),
    [
        ({}, 99.9, True),
        ({}, 100, False),
        ({"nbf": 50}, 50, True),
        ({"nbf": 50}, 49.9, False),
        ({"nbf": "50"}, 99, False),
        ({"exp": None}, 1, False),
        ({"exp": True}, 0.5, False),
        ({"exp": float("inf")}, 1, False),
        ({"exp": "100"}, 1, False),
    ],
)
def test_a_token_is_active_from_nbf_to_exp(claims: dict[str, Any], now: float, *, active: bool) -> None:
    assert issued(**claims).is_active(now) is active


def test_only_stored_tokens_are_found() -> None:
    store = TokenStore()
    token = issued()
    store.add("token", token)
    assert store.find("token") is token
    assert store.find("Token") is None
    assert not store.revoke("Token")


def test_a_refresh_token_is_revoked_with_its_access_tokens() -> None:
    store = TokenStore()
    store.add("refresh", issued("refresh", "oar1"))
    store.add("its own", issued("access", "oar1"))
    store.add("another's", issued("access", "oar2"))
    store.add("a client's", issued())
    assert store.revoke("refresh")
    found = {token: store.find(token) for token in ("refresh", "its own", "another's", "a client's")}
    active = [token for token, known in found.items() if known is not None and known.is_active(1)]
    assert active == ["another's", "a client's"]


def test_all_tokens_of_a_grant_are_revoked_together() -> None:
    store = TokenStore()
    for name, grant_id in (("one", "a"), ("two", "a.b"), ("three", "ab"), ("four", "b.a")):
        token = issued()
        token.grant_id = grant_id
        store.add(name, token)
    store.revoke_grant("a")
    found = {name: store.find(name) for name in ("one", "two", "three", "four")}
    assert [name for name, known in found.items() if known is not None and not known.revoked] == ["three", "four"]


def test_the_oldest_token_is_removed_first() -> None:
    store = TokenStore(capacity=2)
    for token in ("one", "two", "three"):
        store.add(token, issued())
    assert [store.find(token) is not None for token in ("one", "two", "three")] == [False, True, True]


def test_a_cleared_store_is_empty() -> None:
    store = TokenStore()
    store.add("token", issued())
    store.clear()
    assert store.find("token") is None


def test_a_revoked_token_that_is_issued_again_stays_revoked() -> None:
    store = TokenStore()
    store.add("token", issued())
    store.revoke("token")
    store.add("token", issued())
    assert not store.find("token").is_active(1)  # type: ignore[union-attr]  # it is there
