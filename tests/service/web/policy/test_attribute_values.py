from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from tornado.web import RequestHandler

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.attribute_values import changed_names, copy_values
from service.web.policy.policy import policy
from service.web.policy.scopes import AnyOf


class Computed:
    """A descriptor that returns nothing for the class, and a requirement for an object."""

    def __get__(self, handler: object, owner: type) -> object:
        return () if handler is None else "items:delete"


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a property": ({"scopes": property(lambda _self: "items:delete")}, "plain value in the class body, not a property"),
    "a cached property": ({"groups": functools.cached_property(lambda _self: "a")}, "not a cached_property"),
    "another descriptor": ({"scopes": Computed()}, "not a Computed"),
    "a method": ({"claims": lambda _self: {"a": "b"}}, "not a function"),
    "a class method": ({"scopes": classmethod(lambda _cls: "a")}, "not a classmethod"),
    "a generator": ({"scopes": (scope for scope in ["items:delete"])}, "is a generator, which can be read only once"),
    "a map": ({"groups": map(str, ["Admins"])}, "groups is a map"),
    "a filter": ({"allowed_clients": filter(None, ["0oa1"])}, "allowed_clients is a filter"),
    "an iterator for one method": ({"scopes": {"POST": iter(["items:delete"])}}, "scopes is a list_iterator"),
    "an iterator among alternatives": ({"groups": AnyOf(iter(["Admins"]))}, "groups is a list_iterator"),
    "an iterator of classes": ({"acr_values": iter(["phr"])}, "acr_values is a list_iterator"),
    "an iterator of sources": ({"token_sources": iter(["header"])}, "token_sources is a list_iterator"),
    "an empty string": ({"scopes": ""}, "scopes is an empty string"),
    "an empty string for one method": ({"scopes": {"POST": " "}}, "scopes is an empty string"),
    "no classes": ({"acr_values": ""}, "acr_values is an empty string"),
    "an annotation instead of a value": ({"__annotations__": {"scopes": "items:delete"}}, "annotation but no value"),
}


@pytest.mark.parametrize(("attributes", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("place", ["the class", "a mixin"])
def test_a_requirement_that_cannot_be_read_once_for_all_does_not_start(
    attributes: dict[str, Any], message: str, place: str
) -> None:
    bases: tuple[type, ...] = (BearerAuthMixin, RequestHandler)
    if place == "a mixin":
        bases, attributes = (type("Mixin", (), attributes), *bases), {}
    with pytest.raises((TypeError, ValueError), match=f"Handler: .*{message}"):
        type("Handler", bases, attributes)


@pytest.mark.parametrize("value", ["", iter(["a"]), (scope for scope in "a")], ids=["empty", "iterator", "generator"])
def test_a_policy_with_such_a_value_raises(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match="scopes is"):
        policy(scopes=value)


def test_the_alternatives_of_a_claim_may_be_empty_strings() -> None:
    handler: Any = type("Handler", (BearerAuthMixin, RequestHandler), {"claims": {"department": AnyOf("", "none")}})
    assert {"department": ("", "none")} == handler.policy.requirements["GET"].claims


def _assign(handler: Any) -> None:
    handler.max_age = 60


CHANGES: dict[str, tuple[Callable[[Any], object], list[str]]] = {
    "nothing": (lambda _handler: None, []),
    "an assignment": (_assign, ["max_age"]),
    "an appended scope": (lambda handler: handler.scopes.append("b"), ["scopes"]),
    "an added claim": (lambda handler: handler.claims.update(admin=True), ["claims"]),
    "another group": (lambda handler: handler.groups.add("c"), ["groups"]),
}


@pytest.mark.parametrize(("change", "names"), CHANGES.values(), ids=CHANGES.keys())
def test_a_changed_value_is_noticed(change: Callable[[Any], object], names: list[str]) -> None:
    attributes = {"scopes": ["a"], "claims": {"a": "b"}, "groups": {"a"}}
    handler = type("Handler", (BearerAuthMixin, RequestHandler), attributes)
    before = copy_values(handler)
    change(handler)
    assert names == changed_names(handler, before)
