from __future__ import annotations

from typing import Any

import pytest

from fakeissuer.entries import Client
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
