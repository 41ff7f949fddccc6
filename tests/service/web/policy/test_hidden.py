from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from tornado.web import RequestHandler, authenticated

from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.hidden import is_decorated_inside
from service.web.policy.policy import policy


def _closure(method: Callable[..., Any]) -> Callable[..., Any]:
    def other(self: Any) -> Any:
        return method(self)

    return other


class _CallableObject:
    def __init__(self, method: Callable[..., Any]) -> None:
        self.method = method

    def __call__(self, handler: Any) -> Any:
        return self.method(handler)


@policy(scopes="items:delete")
def delete(_self: Any) -> None:
    """Delete everything."""


HIDING: dict[str, object] = {
    "a closure": _closure(delete),
    "two closures": _closure(_closure(delete)),
    "a partial function": functools.partial(delete, None),
    "a partial method": functools.partialmethod(delete, key=1),
    "an argument of a partial function": functools.partial(_closure, delete),
    "an object": _CallableObject(delete),
    "an object in a closure": _closure(_CallableObject(delete)),
    "a property": property(delete),
    "a static method of a closure": staticmethod(_closure(delete)),
}


@pytest.mark.parametrize("value", HIDING.values(), ids=HIDING.keys())
def test_a_policy_under_another_decorator_does_not_start(value: object) -> None:
    with pytest.raises(TypeError, match="Handler: another decorator hides the @policy of delete; put @policy above"):
        type("Handler", (BearerAuthMixin, RequestHandler), {"delete": value})


def _unset() -> Callable[..., Any]:
    later: object = None

    def forget() -> object:
        nonlocal later
        found = later
        del later
        return found

    forget()
    return forget


FINE: dict[str, object] = {
    "the decorator itself": delete,
    "functools.wraps": functools.wraps(delete)(_closure(delete)),
    "another decorator of Tornado": authenticated(delete),
    "a class": type("Inner", (), {"delete": delete}),
    "a value": 1,
    "a variable without a value": _unset(),
    "no decorator": lambda _self: None,
}


@pytest.mark.parametrize("value", FINE.values(), ids=FINE.keys())
def test_other_attributes_hide_nothing(value: object) -> None:
    assert not is_decorated_inside(value, "_policy_attributes")


def test_a_deep_nest_of_decorators_ends() -> None:
    value: Any = delete
    for _ in range(100):
        value = _closure(value)
    assert not is_decorated_inside(value, "_policy_attributes")
