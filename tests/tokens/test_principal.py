from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from service.tokens.principal import Principal

CLAIMS: dict[str, Any] = {"iss": "https://issuer.example", "exp": 1_700_003_600, "sub": "alice@example.com"}

SCOPES: dict[str, tuple[dict[str, Any], set[str]]] = {
    "Okta's list": ({"scp": ["api:read", "api:write"]}, {"api:read", "api:write"}),
    "Okta's claim as text": ({"scp": "api:read api:write"}, {"api:read", "api:write"}),
    "the RFC's text": ({"scope": "api:read  api:write"}, {"api:read", "api:write"}),
    "the RFC's claim as list": ({"scope": ["api:read"]}, {"api:read"}),
    "none": ({}, set()),
    "a number": ({"scp": 1}, set()),
    "a number in the list": ({"scp": ["api:read", 1]}, {"api:read"}),
}


@pytest.mark.parametrize(("claims", "scopes"), SCOPES.values(), ids=SCOPES.keys())
def test_scopes_become_one_set_from(claims: dict[str, Any], scopes: set[str]) -> None:
    assert scopes == Principal.from_claims(CLAIMS | claims).scopes


def test_says_who_it_is() -> None:
    principal = Principal.from_claims(CLAIMS | {"cid": "client"})
    assert ("https://issuer.example", "alice@example.com", "client", 1_700_003_600.0) == (
        principal.issuer,
        principal.subject,
        principal.client_id,
        principal.expires_at,
    )


def test_a_subject_that_is_no_text_is_none() -> None:
    assert Principal.from_claims(CLAIMS | {"sub": 7}).subject is None


def test_cannot_be_changed() -> None:
    principal = Principal.from_claims(CLAIMS)
    with pytest.raises(dataclasses.FrozenInstanceError):
        principal.subject = "mallory"  # type: ignore[misc]  # that is the attempt
    with pytest.raises(TypeError):
        principal.claims["sub"] = "mallory"  # type: ignore[index]  # that is the attempt
