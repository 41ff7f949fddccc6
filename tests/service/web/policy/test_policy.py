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
    return tuple(set(one) for one in handler.policy.requirements[method].scopes.alternatives)


SPELLINGS: dict[str, tuple[Any, str, list[set[str]]]] = {
    "a text": ("things:read", "GET", [{"things:read"}]),
    "a text of two": ("things:read things:write", "GET", [{"things:read", "things:write"}]),
    "a list": (["things:read", "things:write"], "DELETE", [{"things:read", "things:write"}]),
    "a mapping": ({"GET": "things:read", "POST": ["things:write"]}, "POST", [{"things:write"}]),
    "alternatives": (AnyOf("a b", "c"), "GET", [{"a", "b"}, {"c"}]),
    "alternatives of one method": ({"GET": AnyOf("a", "b")}, "GET", [{"a"}, {"b"}]),
    "a method that the mapping leaves out": ({"POST": "things:write"}, "GET", []),
    "HEAD where the mapping names GET": ({"GET": "things:read"}, "HEAD", [{"things:read"}]),
    "HEAD where the mapping names it": ({"GET": "things:read", "HEAD": "things:look"}, "HEAD", [{"things:look"}]),
}


@pytest.mark.parametrize(("scopes", "method", "alternatives"), SPELLINGS.values(), ids=SPELLINGS.keys())
def test_reads_scopes_as(scopes: Any, method: str, alternatives: list[set[str]]) -> None:
    assert tuple(alternatives) == _scopes(_handler(scopes=scopes), method)


def test_demands_a_token_and_nothing_more_by_default() -> None:
    for method in METHODS:
        assert Requirements() == _handler().policy.requirements[method]


def test_a_method_of_the_handlers_own_is_bound_too() -> None:
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
    ],
    ids=["a word of methods", "public", "optional", "no principal", "no method"],
)
def test_a_policy_that_binds_nobody_stops_the_program(attributes: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError), match="Handler: "):
        _handler(**attributes)


class Decorated(BearerAuthMixin, RequestHandler):
    scopes: ClassVar = "things:read"
    groups = "Staff"

    def get(self) -> None:
        """Requirements what the class does."""

    @policy(scopes="things:write")
    def post(self) -> None:
        """Requirements another scope, and the class's group."""

    @policy(public=True)
    def head(self) -> None:
        """Requirements nothing."""

    @policy(optional=True)
    def put(self) -> None:
        """Requirements no token."""

    def authorize(self, principal: Principal) -> bool:
        return principal.subject is not None


def test_a_decorator_stands_in_place_of_the_class_word_by_word() -> None:
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


def test_an_override_that_forgets_the_decorator_keeps_the_demands() -> None:
    class Below(Decorated):
        def post(self) -> None:
            """Be bound as the method above."""

    class Other(Below):
        @policy(scopes="things:admin")
        def post(self) -> None:
            """Be bound otherwise."""

    assert ({"things:write"},) == _scopes(Below, "POST")
    assert ({"things:admin"},) == _scopes(Other, "POST")


def test_head_demands_what_get_does_unless_it_says_otherwise() -> None:
    class Below(Decorated):
        @policy(scopes="things:look")
        def get(self) -> None:
            """Be asked by HEAD as well."""

    read = _handler(get=policy(scopes="things:read")(lambda _self: None), head=lambda _self: None)
    assert ({"things:read"},) == _scopes(read, "HEAD")
    assert Below.policy.requirements["HEAD"].public
    assert () == _scopes(_handler(SUPPORTED_METHODS=("POST",), post=policy()(lambda _self: None)), "POST")


def test_a_decorator_is_read_on_a_plain_class_among_the_bases() -> None:
    common = type("Common", (), {"post": policy(scopes="things:write")(lambda _self: None)})
    handler = type("Handler", (common, BearerAuthMixin, RequestHandler), {})
    assert ({"things:write"},) == _scopes(handler, "POST")


def test_a_decorated_method_can_call_the_one_above_it() -> None:
    class Below(Decorated):
        @policy(scopes="things:admin")
        def post(self) -> None:
            super().post()

    handler = Below.__new__(Below)
    handler.post()


def _hiding(method: Callable[..., Any]) -> Callable[..., Any]:
    def other(self: Any) -> None:
        method(self)

    return other


def test_a_decorator_that_hides_a_policy_does_not_open_the_method() -> None:
    class Hidden(BearerAuthMixin, RequestHandler):
        @_hiding
        @policy(scopes="things:write")
        def post(self) -> None:
            raise AssertionError("ran")

    with pytest.raises(RuntimeError, match="put @policy above"):
        Hidden.__new__(Hidden).post()


def test_a_decorator_that_wraps_keeps_the_policy() -> None:
    @policy(scopes="things:write")
    def post(_self: object) -> None:
        """Be wrapped."""

    assert ({"things:write"},) == _scopes(_handler(post=functools.wraps(post)(_hiding(post))), "POST")


@pytest.mark.parametrize("words", [{"scope": "a"}, {"authorize": True}])
def test_a_decorator_refuses_words_that_there_are_not(words: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="it accepts public"):
        policy(**words)


def test_a_method_has_one_policy() -> None:
    with pytest.raises(TypeError, match="two policies"):
        policy(scopes="a")(policy(groups="b")(lambda _self: None))


def test_a_policy_on_what_is_no_method_stops_the_program() -> None:
    with pytest.raises(TypeError, match="on_finish"):
        _handler(on_finish=policy(scopes="a")(lambda _self: None))
