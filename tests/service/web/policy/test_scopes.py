from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.web.policy.scopes import AnyOf, ScopeMatching, parse_scopes

EXACT, WILDCARD, HIERARCHY = ScopeMatching

GRANTS: list[tuple[ScopeMatching, str, str, bool]] = [
    (EXACT, "things:read", "things:read", True),
    (EXACT, "things:read more", "things:read", True),
    (EXACT, "Things:Read", "things:read", False),
    (EXACT, "things:*", "things:read", False),
    (EXACT, "things", "things:read", False),
    (WILDCARD, "things:*", "things:read", True),
    (WILDCARD, "things.*", "things.read", True),
    (WILDCARD, "things:*", "things:read:own", True),
    (WILDCARD, "things:* pets:read", "things:read pets:read", True),
    (WILDCARD, "things:*", "things:read pets:read", False),
    (WILDCARD, "things:*", "things", False),
    (WILDCARD, "things:*", "thingsbut:read", False),
    (WILDCARD, "things*", "things:read", False),
    (WILDCARD, "thing:*", "things:read", False),
    (WILDCARD, "things", "things:read", False),
    (WILDCARD, "*", "things:read", False),
    (WILDCARD, ":*", ":read", False),
    (HIERARCHY, "things", "things:read", True),
    (HIERARCHY, "things", "things.read", True),
    (HIERARCHY, "things:read", "things:read:own", True),
    (HIERARCHY, "things:read:own", "things:read", False),
    (HIERARCHY, "thing", "things:read", False),
    (HIERARCHY, "things:*", "things:read", False),
]


@pytest.mark.parametrize(("matching", "granted", "required", "expected"), GRANTS)
def test_a_scope_grants_the_matching_scopes(
    matching: ScopeMatching, granted: str, required: str, *, expected: bool
) -> None:
    assert expected is matching.grants(frozenset(granted.split()), frozenset(required.split()))


@given(st.sampled_from(ScopeMatching), st.text(alphabet="a:.*", min_size=1), st.text(alphabet="a:.*", min_size=1))
def test_a_scope_grants_only_itself_and_scopes_below_it(matching: ScopeMatching, granted: str, required: str) -> None:
    if matching.grants(frozenset({granted}), frozenset({required})) and granted != required:
        stem = granted.removesuffix("*").rstrip(":.") if matching is WILDCARD else granted
        assert required.startswith(stem)
        assert required != stem


def test_one_alternative_is_enough_and_the_first_is_preferred() -> None:
    requirements = parse_scopes(AnyOf("things:read things:list", "things:admin"))
    for scopes, satisfied in [
        ("things:read things:list", True),
        ("things:admin", True),
        ("things:read", False),
        ("", False),
    ]:
        assert satisfied is requirements.is_satisfied(frozenset(scopes.split()), EXACT)
    assert {"things:read", "things:list"} == requirements.preferred


@pytest.mark.parametrize("value", ["", (), [], " "])
def test_empty_requirements_are_always_satisfied(value: Any) -> None:
    assert parse_scopes(value).is_satisfied(frozenset(), EXACT)


@pytest.mark.parametrize(
    "value", [7, None, ['a"b'], ["a b"], [""], [1], "a\\b", "é", AnyOf("a", ""), AnyOf(()), AnyOf(7), AnyOf(AnyOf("a"))]
)
def test_invalid_scopes_are_rejected(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        parse_scopes(value)
