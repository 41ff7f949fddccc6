from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from service.tokens.principal import Principal

CLAIMS: dict[str, Any] = {"iss": "https://issuer.example", "exp": 1_700_003_600, "sub": "alice@example.com"}

SCOPES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "Okta's list": ({"scp": ["api:read", "api:write"]}, {"api:read", "api:write"}),
    "Okta's claim as a string": ({"scp": "api:read api:write"}, {"api:read", "api:write"}),
    "the RFC's string": ({"scope": "api:read  api:write"}, {"api:read", "api:write"}),
    "the RFC's claim as a list": ({"scope": ["api:read"]}, {"api:read"}),
    "no claim": ({}, set()),
    "a number": ({"scp": 1}, set()),
    "a number in the list": ({"scp": ["api:read", 1]}, {"api:read"}),
}


@pytest.mark.parametrize(("claims", "scopes"), SCOPES.values(), ids=SCOPES.keys())
def test_scopes_are_read_from(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes == Principal.from_claims(CLAIMS | claims).scopes


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


def test_a_subject_that_is_not_a_string_is_none() -> None:
    assert Principal.from_claims(CLAIMS | {"sub": 7}).subject is None


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
