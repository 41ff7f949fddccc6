from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tornado.web import RequestHandler

from service.web.handler.mixin import BearerAuthMixin


def initialize(self: Any) -> None:
    self.scopes = "items:delete"


def initialize_with_argument(self: Any, scopes: str) -> None:
    self.scopes = scopes


def initialize_with_closure(self: Any) -> None:
    self.later = lambda: self
    self.claims = {"admin": True}


def prepare(self: Any) -> None:
    self.database = None
    self.groups = ["Admins"]


def init(self: Any, *args: Any, **kwargs: Any) -> None:
    RequestHandler.__init__(self, *args, **kwargs)
    self.public, self.authorize = False, lambda _principal: False


ASSIGNMENTS: dict[str, tuple[str, Callable[..., None], str]] = {
    "a constant": ("initialize", initialize, "scopes"),
    "an argument of the route": ("initialize", initialize_with_argument, "scopes"),
    "beside a closure": ("initialize", initialize_with_closure, "claims"),
    "in prepare": ("prepare", prepare, "groups"),
    "in __init__": ("__init__", init, "authorize"),
}


@pytest.mark.parametrize(("method", "function", "name"), ASSIGNMENTS.values(), ids=ASSIGNMENTS.keys())
@pytest.mark.parametrize("place", ["the class", "a mixin", "a base class"])
def test_a_requirement_that_a_handler_sets_on_itself_does_not_start(
    method: str, function: Callable[..., None], name: str, place: str
) -> None:
    bases: tuple[type, ...] = (BearerAuthMixin, RequestHandler)
    attributes: dict[str, Any] = {method: function}
    if place == "a mixin":
        bases, attributes = (type("Mixin", (), attributes), *bases), {}
    elif place == "a base class":
        bases, attributes = (BearerAuthMixin, type("Base", (RequestHandler,), attributes)), {}
    with pytest.raises(TypeError, match=rf"Handler: self\.{name} has no effect in {function.__qualname__}"):
        type("Handler", bases, attributes)


def fine(self: Any, other: Any, *, _scopes: str = "") -> None:
    self.scope = other.scopes
    self._scopes = _scopes
    other.scopes = self.scope
    scopes = "a"
    self.names = scopes


def without_arguments() -> None:
    """Fail when called."""


@pytest.mark.parametrize("function", [fine, without_arguments, None, staticmethod(fine)])
def test_other_assignments_are_accepted(function: Any) -> None:
    type("Handler", (BearerAuthMixin, RequestHandler), {"initialize": function})
