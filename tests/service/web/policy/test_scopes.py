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


@pytest.mark.parametrize(("matching", "granted", "demanded", "answer"), GRANTS)
def test_knows_what_a_scope_grants(matching: ScopeMatching, granted: str, demanded: str, *, answer: bool) -> None:
    assert answer is matching.grants(frozenset(granted.split()), frozenset(demanded.split()))


@given(st.sampled_from(ScopeMatching), st.text(alphabet="a:.*", min_size=1), st.text(alphabet="a:.*", min_size=1))
def test_a_scope_never_grants_what_does_not_begin_with_its_own_parts(
    matching: ScopeMatching, granted: str, demanded: str
) -> None:
    if matching.grants(frozenset({granted}), frozenset({demanded})) and granted != demanded:
        stem = granted.removesuffix("*").rstrip(":.") if matching is WILDCARD else granted
        assert demanded.startswith(stem)
        assert demanded != stem


def test_one_alternative_is_enough_and_the_first_is_what_to_ask_for() -> None:
    requirements = parse_scopes(AnyOf("things:read things:list", "things:admin"))
    for scopes, met in [("things:read things:list", True), ("things:admin", True), ("things:read", False), ("", False)]:
        assert met is requirements.is_satisfied(frozenset(scopes.split()), EXACT)
    assert {"things:read", "things:list"} == requirements.preferred


@pytest.mark.parametrize("value", ["", (), [], " "])
def test_demands_nothing_where_nothing_is_written(value: Any) -> None:
    assert parse_scopes(value).is_satisfied(frozenset(), EXACT)


@pytest.mark.parametrize(
    "value", [7, None, ['a"b'], ["a b"], [""], [1], "a\\b", "é", AnyOf("a", ""), AnyOf(()), AnyOf(7), AnyOf(AnyOf("a"))]
)
def test_refuses_what_cannot_be_a_scope(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        parse_scopes(value)
