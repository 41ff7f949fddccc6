from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from tornado.web import RequestHandler

from service.tokens.principal import Principal
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.policy import policy
from service.web.policy.requirements import Requirements
from service.web.policy.scopes import AnyOf, ScopeRequirements
from service.web.responses.methods import METHODS


def _handler(**attributes: Any) -> type[BearerAuthMixin]:
    return type("Handler", (BearerAuthMixin, RequestHandler), attributes)


def _scopes(handler: type[BearerAuthMixin], method: str) -> tuple[set[str], ...]:
    return tuple(set(scopes) for scopes in handler.policy.requirements[method].scopes.alternatives)


SPELLINGS: dict[str, tuple[Any, str, list[set[str]]]] = {
    "a string": ("things:read", "GET", [{"things:read"}]),
    "a string of two scopes": ("things:read things:write", "GET", [{"things:read", "things:write"}]),
    "a list": (["things:read", "things:write"], "DELETE", [{"things:read", "things:write"}]),
    "a mapping": ({"GET": "things:read", "POST": ["things:write"]}, "POST", [{"things:write"}]),
    "alternatives": (AnyOf("a b", "c"), "GET", [{"a", "b"}, {"c"}]),
    "alternatives of one method": ({"GET": AnyOf("a", "b")}, "GET", [{"a"}, {"b"}]),
    "a method that is not in the mapping": ({"POST": "things:write"}, "GET", []),
    "HEAD with only GET in the mapping": ({"GET": "things:read"}, "HEAD", [{"things:read"}]),
    "HEAD in the mapping": ({"GET": "things:read", "HEAD": "things:look"}, "HEAD", [{"things:look"}]),
}


@pytest.mark.parametrize(("scopes", "method", "alternatives"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_scopes_are_parsed(scopes: Any, method: str, alternatives: list[set[str]]) -> None:
    assert tuple(alternatives) == _scopes(_handler(scopes=scopes), method)


def test_only_a_token_is_required_by_default() -> None:
    for method in METHODS:
        assert Requirements() == _handler().policy.requirements[method]


def test_requirements_apply_to_nonstandard_methods() -> None:
    handler = _handler(SUPPORTED_METHODS=(*METHODS, "PROPFIND"), scopes="files:list")
    assert ({"files:list"},) == _scopes(handler, "PROPFIND")


@pytest.mark.parametrize(
    "attributes",
    [
        {"scopes": {"get": "a"}},
        {"public": True, "authorize": lambda _self, _principal: True},
        {"optional": True, "authorize": lambda _self, _principal: True},
        {"authorize": lambda _self: True},
        {"authorize": None},
        {"authorize": staticmethod(lambda _handler, _principal: True)},
        {"authorize": classmethod(lambda _cls, _principal: True)},
        {"authorize": property(lambda _self: True)},
        {"authorize": object},
        {"authorize": functools.partial(lambda _handler, _principal: True)},
        {"authorise": lambda _self, _principal: False},
        {"autorize": lambda _self, _principal: False},
        {"authorized": lambda _self, _principal: False},
    ],
    ids=[
        "a lowercase method",
        "authorize and public",
        "authorize and optional",
        "authorize without a principal",
        "authorize that is not callable",
        "authorize that is a static method",
        "authorize that is a class method",
        "authorize that is a property",
        "authorize that is a class",
        "authorize that is another object",
        "authorise",
        "autorize",
        "authorized",
    ],
)
def test_an_ineffective_policy_raises_at_class_creation(attributes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match="Handler: "):
        _handler(**attributes)


class Decorated(BearerAuthMixin, RequestHandler):
    scopes: ClassVar = "things:read"
    groups = "Staff"

    def get(self) -> None:
        """Require what the class requires."""

    @policy(scopes="things:write")
    def post(self) -> None:
        """Require another scope, and the group of the class."""

    @policy(public=True)
    def head(self) -> None:
        """Require nothing."""

    @policy(optional=True)
    def put(self) -> None:
        """Accept requests without a token."""

    def authorize(self, principal: Principal) -> bool:
        return principal.subject is not None


def test_a_decorator_overrides_single_attributes_of_the_class() -> None:
    requirements = {method: Decorated.policy.requirements[method] for method in ("GET", "POST", "HEAD", "PUT")}
    groups = (frozenset({"Staff"}),)
    assert {
        "GET": Requirements(scopes=ScopeRequirements(alternatives=(frozenset({"things:read"}),)), groups=groups),
        "POST": Requirements(scopes=ScopeRequirements(alternatives=(frozenset({"things:write"}),)), groups=groups),
        "HEAD": Requirements(public=True),
        "PUT": Requirements(optional=True),
    } == requirements


def test_a_decorated_method_of_a_public_handler_is_protected() -> None:
    handler = _handler(public=True, get=lambda _self: None, post=policy()(lambda _self: None))
    assert (True, False) == (handler.policy.requirements["GET"].public, handler.policy.requirements["POST"].public)


def test_an_override_without_the_decorator_keeps_the_requirements() -> None:
    class Subclass(Decorated):
        def post(self) -> None:
            """Require what the overridden method requires."""

    class Other(Subclass):
        @policy(scopes="things:admin")
        def post(self) -> None:
            """Require another scope."""

    assert ({"things:write"},) == _scopes(Subclass, "POST")
    assert ({"things:admin"},) == _scopes(Other, "POST")


def test_head_has_the_requirements_of_get_unless_it_has_its_own() -> None:
    class Subclass(Decorated):
        @policy(scopes="things:look")
        def get(self) -> None:
            """Require a scope."""

    read = _handler(get=policy(scopes="things:read")(lambda _self: None), head=lambda _self: None)
    assert ({"things:read"},) == _scopes(read, "HEAD")
    assert Subclass.policy.requirements["HEAD"].public
    assert () == _scopes(_handler(SUPPORTED_METHODS=("POST",), post=policy()(lambda _self: None)), "POST")


def test_a_decorated_method_can_call_super() -> None:
    class Subclass(Decorated):
        @policy(scopes="things:admin")
        def post(self) -> None:
            super().post()

    handler = Subclass.__new__(Subclass)
    handler.post()


def _without_wraps(method: Callable[..., Any]) -> Callable[..., Any]:
    def other(self: Any) -> None:
        method(self)

    return other


_METHODS: dict[str, Callable[..., Any]] = {}


def _registered(method: Callable[..., Any]) -> Callable[..., Any]:
    _METHODS["post"] = method

    def call_registered(self: Any) -> Any:
        return _METHODS["post"](self)

    return call_registered


def test_a_policy_hidden_by_a_decorator_that_holds_no_method_raises_when_called() -> None:
    class Hidden(BearerAuthMixin, RequestHandler):
        @_registered
        @policy(scopes="things:write")
        def post(self) -> None:
            raise AssertionError("ran")

    with pytest.raises(RuntimeError, match="put @policy above"):
        Hidden.__new__(Hidden).post()


def test_a_decorator_that_uses_functools_wraps_keeps_the_policy() -> None:
    @policy(scopes="things:write")
    def post(_self: object) -> None:
        """Do nothing."""

    assert ({"things:write"},) == _scopes(_handler(post=functools.wraps(post)(_without_wraps(post))), "POST")


@pytest.mark.parametrize("attributes", [{"scope": "a"}, {"authorize": True}])
def test_unknown_attributes_of_a_policy_raise_type_error(attributes: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="it accepts public"):
        policy(**attributes)


def test_two_policies_on_a_method_raise_type_error() -> None:
    with pytest.raises(TypeError, match="two policies"):
        policy(scopes="a")(policy(groups="b")(lambda _self: None))


@pytest.mark.parametrize("name", ["on_finish", "GET", "Post", "propfind", "initialize"])
def test_a_policy_outside_an_http_method_raises_at_class_creation(name: str) -> None:
    with pytest.raises(TypeError, match=f"@policy is on {name}, which is not a supported HTTP method"):
        _handler(**{name: policy(scopes="a")(lambda _self: None)})


@pytest.mark.parametrize("value", [RequestHandler, property(lambda _self: None), classmethod(print), None])
def test_a_policy_on_something_other_than_a_method_raises_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="@policy decorates a method"):
        policy(scopes="a")(value)


@pytest.mark.parametrize("position", [0, 1, 2], ids=["first", "after the mixin", "last"])
def test_a_decorator_in_a_plain_base_class_at_any_position_is_read(position: int) -> None:
    common = type("Common", (), {"post": policy(scopes="things:write")(lambda _self: None)})
    bases: list[type] = [BearerAuthMixin, RequestHandler]
    bases.insert(position, common)
    assert ({"things:write"},) == _scopes(type("Handler", tuple(bases), {}), "POST")
