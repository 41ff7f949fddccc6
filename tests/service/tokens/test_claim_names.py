from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens.claim_names import MISSING, ClaimNames, check_claim_name, explain_missing, find_claim

KEYCLOAK = {
    "realm_access": {"roles": ["admin"]},
    "resource_access": {"my-api": {"roles": ["writer"]}, "my.api": {"roles": ["reader"]}, "https://a.b/c": {"x": 1}},
}

FOUND: dict[str, tuple[dict[str, Any], str, Any]] = {
    "a claim": ({"groups": ["a"]}, "groups", ["a"]),
    "a member": (KEYCLOAK, "realm_access.roles", ["admin"]),
    "a member of a member": (KEYCLOAK, "resource_access.my-api.roles", ["writer"]),
    "a member with a dot": (KEYCLOAK, "resource_access.my.api.roles", ["reader"]),
    "a member that is a URL": (KEYCLOAK, "resource_access.https://a.b/c.x", 1),
    "a claim with colons": ({"cognito:groups": ["a"]}, "cognito:groups", ["a"]),
    "a claim that is a URL": ({"https://example.com/roles": ["a"]}, "https://example.com/roles", ["a"]),
    "a member of a claim that is a URL": ({"https://example.com/a": {"b": 1}}, "https://example.com/a.b", 1),
    "a claim with a dot before a path": ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
    "the longest member": ({"a": {"b.c": {"d": 1}, "b": {"c": {"d": 2}}}}, "a.b.c.d", 1),
    "no shorter member": ({"a": {"b.c": {}, "b": {"c": {"d": 2}}}}, "a.b.c.d", MISSING),
    "null": ({"a": {"b": None}}, "a.b", None),
    "no claim": ({}, "groups", MISSING),
    "no member": (KEYCLOAK, "realm_access.groups", MISSING),
    "no claim of the path": ({}, "realm_access.roles", MISSING),
    "a list in the path": ({"a": ["b"]}, "a.b", MISSING),
    "a text in the path": ({"a": "b"}, "a.b", MISSING),
}


@pytest.mark.parametrize(("claims", "name", "value"), FOUND.values(), ids=FOUND.keys())
def test_a_name_finds(claims: dict[str, Any], name: str, value: object) -> None:
    assert value == find_claim(claims, name)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4), st.integers())
def test_the_path_to_a_member_finds_it(members: list[str], value: int) -> None:
    claims: Any = value
    for member in reversed(members):
        claims = {member: claims}
    assert value == find_claim(claims, ".".join(members))


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(st.text(), inner)), st.text())
def test_any_name_can_be_looked_up_in_any_claims(claims: Any, name: str) -> None:
    find_claim(claims if isinstance(claims, dict) else {"a": claims}, name)


@pytest.mark.parametrize(
    "name",
    ["$.realm_access.roles", "/realm_access/roles", "realm_access['roles']", "a[0]", "resource_access.*.roles", "a..b",
     ".a", "a.", ""],
)  # fmt: skip
def test_another_notation_for_paths_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match=r"is not the name of a claim; .* as in realm_access\.roles"):
        check_claim_name(name)


@pytest.mark.parametrize("name", ["realm_access.roles", "https://example.com/roles", "cognito:groups", "Display Name"])
def test_the_name_of_a_claim_is_accepted(name: str) -> None:
    assert name == check_claim_name(name)


def test_a_claim_without_a_comparable_value_is_explained() -> None:
    assert "the token has no a.b" == explain_missing({"a": {}}, "a.b")
    assert "realm_access is an object" in explain_missing(KEYCLOAK, "realm_access")
    assert "" == explain_missing({"a": "x"}, "a")


CLIENTS: dict[str, tuple[dict[str, Any], str | None]] = {
    "Okta": ({"cid": "a"}, "a"),
    "Keycloak": ({"azp": "a"}, "a"),
    "Keycloak's introspection": ({"azp": "a", "client_id": "a"}, "a"),
    "Entra 1": ({"appid": "a"}, "a"),
    "all of them": (dict.fromkeys(("client_id", "cid", "azp", "appid"), "a"), "a"),
    "none of them": ({"sub": "a"}, None),
    "an empty text": ({"azp": ""}, ""),
}


@pytest.mark.parametrize(("claims", "client"), CLIENTS.values(), ids=CLIENTS.keys())
def test_the_client_is_found_for(claims: dict[str, Any], client: str | None) -> None:
    assert client == ClaimNames().find_client_id(claims)
    assert ClaimNames().has_client_id(claims) is (client is not None)


def test_a_token_that_names_two_clients_is_rejected() -> None:
    """An attacker who can have the issuer add a claim ``client_id`` must not choose the client that is read."""
    with pytest.raises(InvalidToken) as exc_info:
        ClaimNames().find_client_id({"client_id": "allowed", "azp": "attacker"})
    error = exc_info.value
    assert (Reason.MALFORMED_CLAIM, "azp", "client_id_claims") == (error.reason, error.claim, error.setting)
    assert "attacker" == ClaimNames(client_id=("azp",)).find_client_id({"client_id": "allowed", "azp": "attacker"})


@pytest.mark.parametrize("value", [None, True, 7, [], ["a"], {}])
def test_a_client_that_is_not_a_string_is_rejected(value: object) -> None:
    with pytest.raises(InvalidToken, match="expected a string"):
        ClaimNames().find_client_id({"client_id": "a", "azp": value})
