from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.clients import Client
from fakeissuer.model.records import to_record
from fakeissuer.model.servers import PolicyRule, Server

LONG = "s" * 32
RSA = {"kty": "RSA", "n": "x", "e": "AQAB"}


@pytest.mark.parametrize(
    "members",
    [
        {"secret": "s"},
        {"secret": LONG, "auth_methods": ["client_secret_jwt"]},
        {"secret": LONG, "auth_methods": ["client_secret_jwt", "private_key_jwt"], "jwks": {"keys": [RSA]}},
        {"auth_methods": ["private_key_jwt"], "jwks": {"keys": [RSA | {"use": "sig", "key_ops": ["verify"]}]}},
        {"auth_methods": ["none"]},
        {"auth_methods": ["none"], "grant_types": ["implicit"], "redirect_uris": ["http://127.0.0.1:*"]},
    ],
)
def test_a_client_that_can_authenticate_is_accepted(members: dict[str, Any]) -> None:
    assert to_record({"id": "x", "name": "x", **members}, Client).id == "x"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({}, "secret"),
        ({"auth_methods": []}, "at least one of the auth_methods"),
        ({"auth_methods": ["none", "private_key_jwt"]}, "excludes all others"),
        ({"secret": "s", "auth_methods": ["private_key_jwt"]}, "secret"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"key": []}}, "keys"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": [{"kty": "oct", "k": "x"}]}}, "kty"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": [RSA | {"d": "x"}]}}, "private"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": [{"kty": "RSA", "generate": "RSA"}]}}, "lacks e, n"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": [RSA | {"kty": "EC"}]}}, "lacks crv, x, y"),
        ({"auth_methods": ["private_key_jwt"], "jwks": {"keys": []}}, "at least one public key"),
        ({"auth_methods": ["private_key_jwt"]}, "jwks is missing"),
        ({"secret": "s" * 31, "auth_methods": ["client_secret_jwt"]}, "31 characters; expected 32"),
        ({"secret": "s", "grant_types": ["authorisation_code"]}, "'authorisation_code'"),
        ({"secret": "s", "grant_types": ["authorization_code"]}, "redirect_uris is empty"),
        ({"secret": "s", "grant_types": ["implicit"]}, "redirect_uris is empty"),
        ({"secret": "s", "redirect_uris": ["https://app.test/#x"]}, "redirect_uris holds .* fragment"),
        ({"secret": "s", "post_logout_redirect_uris": ["javascript:x"]}, "post_logout_redirect_uris holds .* script"),
        ({"secret": "s", "claims": {"x": date(2020, 1, 1)}}, r"claims\.x holds a date"),
    ],
)
def test_an_inconsistent_client_is_rejected(members: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidRequestError, match=expected):
        to_record({"id": "x", "name": "x", **members}, Client)


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ({}, ("api:read",)),
        ({"scopes": ["x", "api:read"]}, ("api:read",)),
        ({"scopes": ["x"]}, ()),
        ({"scopes": ["x"], "default_scopes": ["x"]}, ("x",)),
        ({"scopes": ["x"], "default_scopes": []}, ()),
    ],
)
def test_the_default_scopes_are_some_of_the_scopes(scopes: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert to_record({"id": "x", "audience": "x", **scopes}, Server).default_scopes == expected


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"scopes": ["x"], "default_scopes": ["api:read"]}, "default_scopes names 'api:read'.* some of x"),
        ({"default_scopes": [""]}, "length >= 1"),
        ({"published_scopes": ["x"]}, "published_scopes names 'x'"),
        ({"scopes": ["a b"], "default_scopes": []}, "'a b'; expected no space"),
        ({"policy": [{"scopes": ["x"]}]}, r"policy\[0\]\.scopes names 'x'"),
        ({"policy": [{}, {"grant_types": ["pasword"]}]}, r"'pasword'.*`\$\.policy\[1\]`"),
        ({"trusted_issuers": {"https://other.test": {"keys": []}}}, "https://other.test.* at least one public key"),
        ({"trusted_issuers": {"https://other.test": {"keys": [{"kty": "RSA"}]}}}, "lacks e, n"),
    ],
)
def test_an_inconsistent_server_is_rejected(members: dict[str, Any], expected: str) -> None:
    with pytest.raises(InvalidRequestError, match=expected):
        to_record({"id": "x", "audience": "x", **members}, Server)


@pytest.mark.parametrize("policy", [{"group": ["Admins"]}, {"groups": "Admins"}, {"groups": [1]}])
def test_an_error_in_a_rule_lists_the_members_of_a_rule(policy: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="Expected members: grant_types, clients, groups, scopes, access"):
        to_record({"id": "x", "audience": "x", "policy": [policy]}, Server)


@pytest.mark.parametrize("members", [{"claims": 5}, {"unknown": 5}, {"trusted_issuers": {"x": {"keys": 5}}}])
def test_an_error_in_a_server_lists_the_members_of_a_server(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match="Expected members: id, audience, scopes"):
        to_record({"id": "x", "audience": "x", **members}, Server)


@pytest.mark.parametrize(
    ("member", "shortest", "longest"),
    [("access_token_lifetime", 300, 86_400), ("refresh_token_idle_lifetime", 600, 5 * 365 * 86_400)],
)
def test_the_lifetimes_of_a_rule_are_in_the_ranges_of_okta(member: str, shortest: int, longest: int) -> None:
    for lifetime_s in (shortest, longest):
        assert to_record({member: lifetime_s}, PolicyRule)[member] == lifetime_s
    for lifetime_s in (shortest - 1, longest + 1):
        with pytest.raises(InvalidRequestError, match=member):
            to_record({member: lifetime_s}, PolicyRule)
