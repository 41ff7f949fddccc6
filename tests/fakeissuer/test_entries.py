from __future__ import annotations

from typing import Any

import pytest

from fakeissuer.entries import Client, PolicyRule
from fakeissuer.errors import Unacceptable
from fakeissuer.records import accept

RSA = {"kty": "RSA", "n": "x", "e": "AQAB"}


@pytest.mark.parametrize(
    "members",
    [
        {"secret": "s"},
        {"secret": "s", "auth_methods": ["client_secret_jwt"]},
        {"secret": "s", "auth_methods": ["client_secret_jwt", "private_key_jwt"], "jwks": {"keys": [RSA]}},
        {"auth_methods": ["private_key_jwt"], "jwks": {"keys": []}},
        {"auth_methods": ["private_key_jwt"]},
        {"auth_methods": ["none"]},
    ],
)
def test_a_client_can_authenticate(members: dict[str, Any]) -> None:
    assert accept({"id": "x", "name": "x", **members}, Client).id == "x"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "secret"),
        ({"auth_methods": []}, "some auth_methods"),
        ({"auth_methods": ["none", "private_key_jwt"]}, "no other"),
        ({"secret": "s", "auth_methods": ["private_key_jwt"]}, "secret"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"key": []}}, "keys"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": [{"kty": "oct", "k": "x"}]}}, "kty"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": [RSA | {"d": "x"}]}}, "private"),
    ],
)
def test_a_client_that_never_could_is_refused(members: dict[str, Any], expected: str) -> None:
    with pytest.raises(Unacceptable, match=expected):
        accept({"id": "x", "name": "x", **members}, Client)


@pytest.mark.parametrize(
    ("member", "shortest", "longest"),
    [("access_token_lifetime", 300, 86_400), ("refresh_token_idle_lifetime", 600, 5 * 365 * 86_400)],
)
def test_the_lifetimes_of_a_rule_are_in_the_ranges_of_okta(member: str, shortest: int, longest: int) -> None:
    for lifetime_s in (shortest, longest):
        assert accept({member: lifetime_s}, PolicyRule)[member] == lifetime_s
    for lifetime_s in (shortest - 1, longest + 1):
        with pytest.raises(Unacceptable, match=member):
            accept({member: lifetime_s}, PolicyRule)
