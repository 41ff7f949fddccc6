from __future__ import annotations

from typing import Any

import pytest

from service.errors import InsufficientScope
from service.tokens.principal import Principal
from service.web.policy import METHODS, Policy


def _principal(*scopes: str) -> Principal:
    return Principal.from_claims({"iss": "https://issuer.example", "exp": 1, "scp": list(scopes)})


SPELLINGS: dict[str, tuple[Any, str, set[str]]] = {
    "a text": ("things:read", "GET", {"things:read"}),
    "a text of two": ("things:read things:write", "GET", {"things:read", "things:write"}),
    "a list": (["things:read", "things:write"], "DELETE", {"things:read", "things:write"}),
    "a mapping": ({"GET": "things:read", "POST": ["things:write"]}, "POST", {"things:write"}),
}


@pytest.mark.parametrize(("scopes", "method", "required"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_demands_all_the_scopes_of(scopes: Any, method: str, required: set[str]) -> None:
    policy = Policy.read(public=False, scopes=scopes)
    policy.check(_principal("more", *required), method)
    for missing in required:
        with pytest.raises(InsufficientScope) as refusal:
            policy.check(_principal(*required - {missing}), method)
        assert tuple(sorted(required)) == refusal.value.required


def test_demands_nothing_of_a_method_that_the_mapping_leaves_out() -> None:
    Policy.read(public=False, scopes={"POST": "things:write"}).check(_principal(), "GET")


def test_demands_no_scope_by_default() -> None:
    for method in METHODS:
        Policy.read(public=False, scopes=()).check(_principal(), method)


def test_scopes_are_compared_letter_by_letter() -> None:
    with pytest.raises(InsufficientScope):
        Policy.read(public=False, scopes="things:read").check(_principal("Things:Read", "things:rea"), "GET")


@pytest.mark.parametrize(
    ("public", "scopes"),
    [("yes", ()), (1, ()), (None, ()), (False, {"get": "a"}), (False, ['a"b']), (False, [""]), (False, [1]),
     (False, ["a b"]), (True, "things:read")],
)  # fmt: skip
def test_refuses_what_means_something_else_than_it_says(public: object, scopes: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        Policy.read(public=public, scopes=scopes)


@pytest.mark.parametrize(
    ("attributes", "error"),
    [({"public": True, "validation": "introspection"}, ValueError), ({"public": False, "validation": None}, TypeError)],
)
def test_refuses_a_validation_that_means_nothing(attributes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error, match="validation"):
        Policy.read(scopes=(), **attributes)
