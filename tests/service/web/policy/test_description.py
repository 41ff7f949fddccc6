from __future__ import annotations

import pytest

from service.web.policy.description import describe_requirements
from service.web.policy.requirements import ATTRIBUTES, parse_requirements
from service.web.policy.scopes import AnyOf


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, ["a token"]),
        ({"public": True}, ["public"]),
        ({"optional": True}, ["an optional token"]),
        ({"scopes": AnyOf("b a", "c")}, ["a token", "scopes a and b or c"]),
        ({"groups": AnyOf(["B", "A"], "C")}, ["a token", "groups A and B or C"]),
        ({"roles": ["B", "A"]}, ["a token", "roles A and B"]),
        ({"claims": {"level": AnyOf(3, 4), "ok": True}}, ["a token", "level 3 or 4", "ok True"]),
        ({"allowed_clients": ["b", "a"]}, ["a token", "clients a or b"]),
        ({"acr_values": "phrh phr"}, ["a token", "acr phrh or phr"]),
        ({"max_age": 0}, ["a token", "authenticated within 0 s"]),
    ],
)
def test_each_requirement_is_described(attributes: dict[str, object], expected: list[str]) -> None:
    assert expected == list(describe_requirements(parse_requirements(**{**ATTRIBUTES, **attributes})))
