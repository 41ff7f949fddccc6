from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from fakeissuer.jose.keys import to_payload
from fakeissuer.model.claims import Grant, access_token_claims, apply_changes, id_token_claims, rfc9068_claims
from fakeissuer.model.users import User
from fakeissuer.state.state import IssuerState

ALICE = User(login="alice@example.com", groups=("Everyone",))


def grant(state: IssuerState, server: str = "default", user: User | None = None, **more: Any) -> Grant:
    chosen = state.registry.server(server)
    return Grant(
        server=chosen,
        issuer=state.urls.issuer(chosen),
        client_id="0oaclient00000000001",
        scopes=("openid", "groups"),
        user=user,
        issued_at=1000,
        lifetime_s=60,
        **more,
    )


def test_a_clients_own_token_has_nine_claims(state: IssuerState) -> None:
    assert list(access_token_claims(grant(state))) == ["ver", "jti", "iss", "aud", "iat", "exp", "cid", "scp", "sub"]


def test_a_users_token_names_the_login_as_subject(state: IssuerState) -> None:
    claims = access_token_claims(grant(state, user=ALICE))
    assert list(claims) == ["ver", "jti", "iss", "aud", "iat", "exp", "cid", "uid", "scp", "auth_time", "sub", "groups"]
    assert (claims["sub"], claims["uid"]) == ("alice@example.com", ALICE.id)


def test_an_id_token_names_the_users_id_as_subject(state: IssuerState) -> None:
    claims = id_token_claims(replace(grant(state, user=ALICE), scopes=("openid", "profile", "email")), ALICE)
    assert list(claims)[:12] == [
        "sub",
        "name",
        "email",
        "ver",
        "iss",
        "aud",
        "iat",
        "exp",
        "jti",
        "amr",
        "idp",
        "preferred_username",
    ]
    assert (claims["sub"], claims["aud"]) == (ALICE.id, "0oaclient00000000001")
    assert claims["jti"].startswith("ID.")


def test_a_bound_token_contains_the_key_thumbprint(state: IssuerState) -> None:
    claims = access_token_claims(grant(state, key_thumbprint="thumb"))
    assert list(claims)[5:8] == ["exp", "cnf", "cid"]
    assert claims["cnf"] == {"jkt": "thumb"}
    assert rfc9068_claims(grant(state, key_thumbprint="thumb"))["cnf"] == {"jkt": "thumb"}


def test_the_id_of_a_refresh_token_is_in_the_jti(state: IssuerState) -> None:
    assert access_token_claims(grant(state, refresh_token_id="oar1"))["jti"].endswith(".oar1")


def test_the_org_servers_token_is_for_the_org_and_has_its_subject_early(state: IssuerState) -> None:
    claims = access_token_claims(grant(state, "org"))
    assert list(claims) == ["ver", "jti", "iss", "aud", "sub", "iat", "exp", "cid", "scp"]
    assert claims["aud"] == claims["iss"] == state.urls.public_url


def test_a_requested_acr_is_in_all_tokens(state: IssuerState) -> None:
    strong = grant(state, user=ALICE, acr="strong")
    said = [claims["acr"] for claims in (access_token_claims(strong), rfc9068_claims(strong))]
    assert [*said, id_token_claims(strong, ALICE)["acr"]] == ["strong"] * 3


def test_rfc_9068_names_what_it_requires(state: IssuerState) -> None:
    assert list(rfc9068_claims(grant(state, user=ALICE))) == (
        ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "auth_time", "groups"]
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"a": 1, "b": 2}),
        ({"a": 3}, {"a": 3, "b": 2}),
        ({"a": None}, {"b": 2}),
        ({"c": 3}, {"a": 1, "b": 2, "c": 3}),
        ({"c": None}, {"a": 1, "b": 2}),
    ],
)
def test_changes_set_and_remove_members(changes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert apply_changes({"a": 1, "b": 2}, changes) == expected


def test_a_payload_is_compact_utf_8_and_keeps_nan() -> None:
    payload = to_payload({"name": "é", "exp": math.nan})
    assert payload == '{"name":"é","exp":NaN}'.encode()
    assert math.isnan(json.loads(payload)["exp"])
