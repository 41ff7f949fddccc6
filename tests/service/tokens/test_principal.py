from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import InvalidToken, Reason
from service.tokens.claim_names import ClaimNames
from service.tokens.principal import Principal, check_principal

CLAIMS: dict[str, Any] = {"iss": "https://issuer.example", "exp": 1_700_003_600, "sub": "alice@example.com"}


def test_issuer_subject_client_and_expiration_are_read() -> None:
    principal = Principal.from_claims(CLAIMS | {"cid": "client"})
    assert ("https://issuer.example", "alice@example.com", "client", 1_700_003_600.0) == (
        principal.issuer,
        principal.subject,
        principal.client_id,
        principal.expires_at,
    )


def test_a_handler_cannot_change_the_claims() -> None:
    claims = Principal.from_claims(CLAIMS | {"roles": ["reader"]}).claims
    with pytest.raises(TypeError):
        claims["roles"].append("admin")


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])  # noqa: S301
def test_a_principal_can_be_copied_and_pickled(copier: Callable[[Principal], Principal]) -> None:
    principal = Principal.from_claims(CLAIMS | {"roles": ["reader"], "deep": {"a": [1]}})
    assert principal == copier(principal)
    assert json.dumps(principal.claims) == json.dumps(copier(principal).claims)


SCOPES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "Okta's list": ({"scp": ["api:read", "api:write"]}, {"api:read", "api:write"}),
    "Okta's claim as a string": ({"scp": "api:read api:write"}, {"api:read", "api:write"}),
    "the RFC's string": ({"scope": "api:read api:write"}, {"api:read", "api:write"}),
    "two spaces": ({"scope": " api:read  api:write "}, {"api:read", "api:write"}),
    "the RFC's claim as a list": ({"scope": ["api:read"]}, {"api:read"}),
    "both claims": ({"scope": "api:read", "scp": ["api:write"]}, {"api:read"}),
    "an empty string": ({"scope": ""}, set()),
    "an empty list": ({"scp": []}, set()),
    "an empty string in a list": ({"scp": [""]}, set()),
    "no claim": ({}, set()),
    "a scope that no handler can require": ({"scope": 'api:read "é"'}, {"api:read", '"é"'}),
}


@pytest.mark.parametrize(("claims", "scopes"), SCOPES.values(), ids=SCOPES.keys())
def test_scopes_are_read_from(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes == Principal.from_claims(CLAIMS | claims).scopes


# Each of these separates words for str.split, or a line, a field or a word for a program behind this one.
SEPARATORS = "\t\n\v\f\r\0\x1c\x1d\x1e\x1f\x7f\x85\xa0\u1680\u2000\u2003\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"


@pytest.mark.parametrize("separator", SEPARATORS, ids=ascii)
@pytest.mark.parametrize("name", ["scope", "scp"])
@pytest.mark.parametrize("kind", [str, list])
def test_only_a_space_separates_scopes(separator: str, name: str, kind: type) -> None:
    text = f"api:read{separator}api:write"
    _is_rejected({name: text if kind is str else [text]}, name)


@pytest.mark.parametrize("name", ["scope", "scp"])
@pytest.mark.parametrize(
    "value",
    [None, True, 1, {}, {"api:read": True}, ["api:read", 1], ["api:read", None], [["api:read"]], ["api:read a"]],
)
def test_scopes_that_are_no_string_and_no_list_of_strings_are_rejected(name: str, value: object) -> None:
    _is_rejected({name: value}, name)


@pytest.mark.parametrize("name", ["sub", "jti", "client_id", "cid", "azp", "appid"])
@pytest.mark.parametrize("value", [None, True, False, 0, 7, 1.5, [], ["alice"], {}, {"id": "alice"}])
def test_a_subject_token_id_or_client_that_is_not_a_string_is_rejected(name: str, value: object) -> None:
    _is_rejected({name: value}, name)


def test_claims_that_are_strings_or_absent_are_read() -> None:
    claims = CLAIMS | {"sub": "", "jti": "AT.x", "client_id": "a", "cid": "a"}
    principal = Principal.from_claims(claims)
    assert ("", "a") == (principal.subject, principal.client_id)
    assert Principal.from_claims({"iss": "https://issuer.example", "exp": 1}).subject is None


@given(st.text() | st.lists(st.text()))
def test_an_accepted_claim_gives_the_scopes_that_its_spaces_separate(value: str | list[str]) -> None:
    try:
        check_principal({"scope": value})
    except InvalidToken:
        return
    scopes = Principal.from_claims(CLAIMS | {"scope": value}).scopes
    assert set(value.split(" ") if isinstance(value, str) else value) - {""} == scopes
    assert all(" " not in scope and scope.isprintable() for scope in scopes)


def _is_rejected(claims: dict[str, Any], claim: str) -> None:
    with pytest.raises(InvalidToken) as exc_info:
        Principal.from_claims(CLAIMS | claims)
    assert (Reason.MALFORMED_CLAIM, claim) == (exc_info.value.reason, exc_info.value.claim)


def test_a_sign_in_after_the_end_of_the_token_is_ignored() -> None:
    milliseconds = 1_700_000_000_000
    assert Principal.from_claims(CLAIMS | {"auth_time": milliseconds}).auth_time is None
    assert 1_700_000_000 == Principal.from_claims(CLAIMS | {"auth_time": 1_700_000_000}).auth_time


def test_a_principal_cannot_be_changed() -> None:
    principal = Principal.from_claims(CLAIMS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        principal.subject = "mallory"  # type: ignore[misc]  # what the test attempts
    with pytest.raises(TypeError):
        principal.claims["sub"] = "mallory"  # type: ignore[index]  # what the test attempts


@pytest.mark.parametrize(
    ("max_token_age", "end"), [(None, 1_700_003_600), (600, 1_700_000_600), (10**6, 1_700_003_600)]
)
def test_a_principal_expires_with_its_token_or_at_the_maximum_age(max_token_age: float | None, end: float) -> None:
    principal = Principal.from_claims(CLAIMS | {"iat": 1_700_000_000}, max_token_age=max_token_age)
    assert end == principal.expires_at


def test_the_maximum_age_is_ignored_without_iat() -> None:
    assert 1_700_003_600 == Principal.from_claims(CLAIMS, max_token_age=1).expires_at


def test_groups_acr_and_auth_time_are_read() -> None:
    principal = Principal.from_claims(CLAIMS | {"groups": ["Everyone", 7, "Admins"], "acr": "phr", "auth_time": 1.5})
    assert {"Everyone", "Admins"} == principal.groups
    assert ("phr", 1.5) == (principal.acr, principal.auth_time)
    assert {"Domain Users"} == Principal.from_claims(CLAIMS | {"groups": "Domain Users"}).groups


@pytest.mark.parametrize("value", [True, "1", {}, [[]], float("nan"), 1e400, 10**400])
def test_malformed_groups_acr_and_auth_time_are_ignored(value: Any) -> None:
    principal = Principal.from_claims(CLAIMS | {"groups": [value] if value == "1" else value, "auth_time": value})
    assert (None, None) == (principal.auth_time, principal.acr)
    assert principal.groups <= {"1"}


@pytest.mark.parametrize(
    ("claims", "same"),
    [({"exp": 1, "scp": ["a"]}, True), ({"iss": "b"}, False), ({"sub": "bob"}, False), ({"cid": "other"}, False)],
)
def test_two_tokens_of_the_same_user_and_client_are_recognized(claims: dict[str, Any], *, same: bool) -> None:
    first = Principal.from_claims(CLAIMS | {"cid": "client"})
    assert same is Principal.from_claims(CLAIMS | {"cid": "client"} | claims).same_subject_and_client(first)


NAMES = ClaimNames(
    client_id=("azp",), scopes=("permissions",), groups="cognito:groups", roles="resource_access.my-api.roles"
)


def test_a_principal_is_read_by_the_names_of_its_issuer() -> None:
    claims = CLAIMS | {
        "azp": "app",
        "client_id": "other",
        "permissions": ["read"],
        "scope": "write",
        "cognito:groups": ["staff"],
        "resource_access": {"my-api": {"roles": ["writer"]}},
    }
    principal = Principal.from_claims(claims, names=NAMES)
    assert "app" == principal.client_id
    assert [{"read"}, {"staff"}, {"writer"}] == [principal.scopes, principal.groups, principal.roles]


ROLES: dict[str, tuple[object, set[str]]] = {
    "a list": (["admin", "user"], {"admin", "user"}),
    "one role": ("admin", {"admin"}),
    "Zitadel": ({"admin": {"1": "a.example"}, "user": {"1": "a.example", "2": "b.example"}}, {"admin", "user"}),
    "Zitadel's documentation": ([{"admin": {"1": "a.example"}}, {"user": {"1": "a.example"}}], {"admin", "user"}),
    "Keycloak's clients": ({"admin": {"roles": ["user"]}}, set()),
    "an object of texts": ({"value": "admin", "display": "Admin"}, set()),
    "an empty object": ({"admin": {}}, set()),
    "a number": (1, set()),
    "null": (None, set()),
}


@pytest.mark.parametrize(("value", "roles"), ROLES.values(), ids=ROLES.keys())
def test_roles_are_read_from(value: object, roles: set[str]) -> None:
    assert roles == Principal.from_claims(CLAIMS | {"roles": value}).roles
