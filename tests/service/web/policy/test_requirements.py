from __future__ import annotations

from typing import Any

import pytest

from service.errors import AccessDenied, InsufficientAuthentication, InsufficientScope, Reason, TokenError
from service.tokens.principal import Principal
from service.web.policy.requirements import ATTRIBUTES, parse_requirements
from service.web.policy.scopes import AnyOf, ScopeMatching

NOW = 1_700_000_000.0


def _principal(claims: dict[str, Any]) -> Principal:
    """Return a principal of a client; a claim of None removes one."""
    changed = {"iss": "https://issuer.example", "exp": NOW + 60, "cid": "app"} | claims
    return Principal.from_claims({name: value for name, value in changed.items() if value is not None})


SATISFIED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "nothing": ({}, {}),
    "a scope": ({"scopes": "a"}, {"scp": ["a", "b"]}),
    "one group": ({"groups": "Domain Users"}, {"groups": ["Everyone", "Domain Users"]}),
    "a group as a string": ({"groups": "Domain Users"}, {"groups": "Domain Users"}),
    "all groups": ({"groups": ["A", "B"]}, {"groups": ["A", "B", "C"]}),
    "one of several groups": ({"groups": AnyOf("A", "B")}, {"groups": ["B"]}),
    "one of several lists of groups": ({"groups": AnyOf(["A", "B"], "C")}, {"groups": ["A", "B"]}),
    "a role": ({"roles": "admin"}, {"roles": ["user", "admin"]}),
    "a role as a string": ({"roles": "admin"}, {"roles": "admin"}),
    "one of several roles": ({"roles": AnyOf("owner", "admin")}, {"roles": ["admin"]}),
    "Zitadel's role": ({"roles": "admin"}, {"roles": {"admin": {"org": "org.example"}}}),
    "a member of a claim": ({"claims": {"realm_access.roles": "admin"}}, {"realm_access": {"roles": ["admin"]}}),
    "a claim that is a URL": ({"claims": {"https://a.example/b": 1}}, {"https://a.example/b": 1}),
    "a claim": ({"claims": {"department": "finance"}}, {"department": "finance"}),
    "a claim whose list has the value": ({"claims": {"roles": "admin"}}, {"roles": ["user", "admin"]}),
    "one of several values": ({"claims": {"level": AnyOf(3, 4)}}, {"level": 4}),
    "a bool": ({"claims": {"email_verified": True}}, {"email_verified": True}),
    "a client": ({"allowed_clients": "app"}, {}),
    "one of several clients": ({"allowed_clients": ["other", "app"]}, {}),
    "an authentication class": ({"acr_values": "phr"}, {"acr": "phr"}),
    "a recent authentication": ({"max_age": 60}, {"auth_time": NOW - 60}),
}


@pytest.mark.parametrize(("attributes", "claims"), SATISFIED.values(), ids=SATISFIED.keys())
def test_a_principal_satisfies_the_requirements(attributes: dict[str, Any], claims: dict[str, Any]) -> None:
    parse_requirements(**{**ATTRIBUTES, **attributes}).check(_principal(claims), now=NOW)


UNSATISFIED: dict[str, tuple[dict[str, Any], dict[str, Any], type[TokenError], Reason]] = {
    "no scope": ({"scopes": "a"}, {}, InsufficientScope, Reason.INSUFFICIENT_SCOPE),
    "no groups": ({"groups": "A"}, {}, AccessDenied, Reason.GROUP_REQUIRED),
    "part of a group name": ({"groups": "Domain Users"}, {"groups": ["Domain"]}, AccessDenied, Reason.GROUP_REQUIRED),
    "one of two groups": ({"groups": ["A", "B"]}, {"groups": ["A"]}, AccessDenied, Reason.GROUP_REQUIRED),
    "none of several groups": ({"groups": AnyOf("A", "B")}, {"groups": ["C"]}, AccessDenied, Reason.GROUP_REQUIRED),
    "groups in an object": ({"groups": "A"}, {"groups": {"A": 1}}, AccessDenied, Reason.GROUP_REQUIRED),
    "no role": ({"roles": "admin"}, {"roles": ["user"]}, AccessDenied, Reason.ROLE_REQUIRED),
    "one of two roles": ({"roles": ["a", "b"]}, {"roles": ["a"]}, AccessDenied, Reason.ROLE_REQUIRED),
    "a client named like a role": (
        {"roles": "admin"}, {"roles": {"admin": {"roles": ["x"]}}}, AccessDenied, Reason.ROLE_REQUIRED,
    ),
    "no member": (
        {"claims": {"realm_access.roles": "a"}}, {"realm_access": {}}, AccessDenied, Reason.CLAIM_MISMATCH,
    ),
    "no claim": ({"claims": {"department": "finance"}}, {}, AccessDenied, Reason.CLAIM_MISMATCH),
    "another value": ({"claims": {"a": "x"}}, {"a": "y"}, AccessDenied, Reason.CLAIM_MISMATCH),
    "a claim that starts with the value": ({"claims": {"a": "x"}}, {"a": "xyz"}, AccessDenied, Reason.CLAIM_MISMATCH),
    "a key of an object": ({"claims": {"a": "x"}}, {"a": {"x": 1}}, AccessDenied, Reason.CLAIM_MISMATCH),
    "true instead of 1": ({"claims": {"a": 1}}, {"a": True}, AccessDenied, Reason.CLAIM_MISMATCH),
    "1 instead of true": ({"claims": {"a": True}}, {"a": 1}, AccessDenied, Reason.CLAIM_MISMATCH),
    "one claim of two": ({"claims": {"a": 1, "b": 2}}, {"a": 1}, AccessDenied, Reason.CLAIM_MISMATCH),
    "another client": ({"allowed_clients": ["other"]}, {}, AccessDenied, Reason.CLIENT_FORBIDDEN),
    "no client": ({"allowed_clients": ["app"]}, {"cid": None}, AccessDenied, Reason.CLIENT_FORBIDDEN),
    "no authentication class": ({"acr_values": "phr"}, {}, InsufficientAuthentication, Reason.INSUFFICIENT_ACR),
    "no auth_time": ({"max_age": 60}, {}, InsufficientAuthentication, Reason.AUTHENTICATION_TOO_OLD),
    # A user without the group is not sent to sign in again, which could not help.
    "a missing group before an authentication class": (
        {"groups": "A", "acr_values": "phr", "scopes": "a"}, {}, AccessDenied, Reason.GROUP_REQUIRED,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("attributes", "claims", "error_type", "reason"), UNSATISFIED.values(), ids=UNSATISFIED.keys())
def test_a_principal_does_not_satisfy_the_requirements(
    attributes: dict[str, Any], claims: dict[str, Any], error_type: type[TokenError], reason: Reason
) -> None:
    with pytest.raises(error_type) as error:
        parse_requirements(**{**ATTRIBUTES, **attributes}).check(_principal(claims), now=NOW)
    assert reason is error.value.reason


def test_scopes_are_matched_as_configured() -> None:
    requirements = parse_requirements(**{**ATTRIBUTES, "scopes": "things:read"})
    requirements.check(_principal({"scp": ["things"]}), now=NOW, matching=ScopeMatching.HIERARCHY)
    with pytest.raises(InsufficientScope):
        requirements.check(_principal({"scp": ["things"]}), now=NOW)


INVALID: list[dict[str, Any]] = [
    {"public": "yes"},
    {"public": 1},
    {"optional": None},
    {"scopes": 7},
    {"groups": 7},
    {"groups": [7]},
    {"groups": [""]},
    {"groups": AnyOf("")},
    {"groups": AnyOf(())},
    {"claims": "department"},
    {"claims": {"a": ["x", "y"]}},
    {"claims": {"a": None}},
    {"claims": {7: "x"}},
    {"claims": {"a": AnyOf(None)}},
    {"allowed_clients": 7},
    {"allowed_clients": [None]},
    {"acr_values": 7},
    {"max_age": "60"},
    {"public": True, "optional": True},
    {"public": True, "scopes": "a"},
    {"optional": True, "scopes": "a"},
    {"optional": True, "groups": "a"},
    {"public": True, "max_age": 0},
]


@pytest.mark.parametrize("attributes", INVALID, ids=str)
def test_invalid_requirements_are_rejected(attributes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        parse_requirements(**{**ATTRIBUTES, **attributes})


@pytest.mark.parametrize(
    ("attributes", "error"),
    [({"public": True, "validation": "introspection"}, ValueError), ({"validation": None}, TypeError)],
)
def test_an_invalid_validation_is_rejected(attributes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"validation|public"):
        parse_requirements(**(dict(ATTRIBUTES) | attributes))


def test_the_log_says_why_a_claim_has_no_value_to_compare() -> None:
    requirements = parse_requirements(**{**ATTRIBUTES, "claims": {"realm_access": "admin"}})
    with pytest.raises(AccessDenied, match="realm_access is an object; write the path to one of its members"):
        requirements.check(_principal({"realm_access": {"roles": ["admin"]}}), now=NOW)


@pytest.mark.parametrize("name", ["$.realm_access.roles", "/realm_access/roles", "resource_access.*.roles"])
def test_a_path_in_another_notation_is_rejected(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a claim"):
        parse_requirements(**{**ATTRIBUTES, "claims": {name: "admin"}})


def test_an_empty_alternative_of_roles_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"roles is .* with an empty alternative"):
        parse_requirements(**{**ATTRIBUTES, "roles": AnyOf("admin", ())})


@pytest.mark.parametrize(("name", "value"), [("dpop", "on"), ("dpop", True), ("dpop_nonce", "yes"), ("dpop_nonce", 1)])
def test_an_impossible_binding_is_rejected(name: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        parse_requirements(**{**ATTRIBUTES, name: value})


def test_a_binding_may_be_required_of_an_optional_token_but_not_of_a_public_handler() -> None:
    assert parse_requirements(**{**ATTRIBUTES, "optional": True, "dpop": "required"}).requires_only_token
    with pytest.raises(ValueError, match="the handler is public"):
        parse_requirements(**{**ATTRIBUTES, "public": True, "dpop": "required"})
