"""A class that was changed after it was created, by a decorator or an assignment, is not mounted."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import tornado.web
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler

from service.errors import SettingsError
from service.web.application.application import ResourceServerApplication
from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.problems import find_problem
from service.web.policy.policy import policy
from service.web.routing.wrap import protected


class Items(BearerAuthMixin, RequestHandler):
    scopes = "items:read"

    @policy(scopes="items:delete")
    def delete(self) -> None:
        raise AssertionError("ran")


class Socket(BearerAuthMixin, WebSocketHandler):
    def on_message(self, message: str | bytes) -> None:
        raise AssertionError(f"received {message!r}")


def _nothing(_self: Any, *_args: Any) -> None:
    """Do nothing."""


def _wrap(method: Callable[..., Any]) -> Callable[..., Any]:
    def wrapper(*arguments: Any) -> Any:
        return method(*arguments)

    return wrapper


CHANGES: dict[str, tuple[type, dict[str, Any], str]] = {
    "scopes": (Items, {"scopes": "items:all"}, "whose scopes changed"),
    "public": (Items, {"public": True}, "whose public changed"),
    "authorize": (Items, {"authorize": lambda _self, _principal: False}, "whose authorize changed"),
    "cors_origins": (Items, {"cors_origins": "https://app.example"}, "whose cors_origins changed"),
    "token_sources": (Items, {"token_sources": "cookie"}, "whose token_sources changed"),
    "SUPPORTED_METHODS": (Items, {"SUPPORTED_METHODS": ("GET", "PURGE")}, "whose SUPPORTED_METHODS changed"),
    "two attributes": (Items, {"groups": "a", "max_age": 1}, "whose groups and max_age changed"),
    "a misspelled attribute": (Items, {"scope": "items:all"}, "scope has no effect; did you mean scopes"),
    "a decorated method": (Items, {"post": policy(scopes="a")(_nothing)}, "whose methods with @policy changed"),
    "a method that is no longer decorated": (Items, {"delete": _nothing}, "whose methods with @policy changed"),
    "a method under another decorator": (Items, {"delete": _wrap(Items.delete)}, "hides the @policy of delete"),
    "prepare": (Items, {"prepare": _nothing}, "whose prepare changed"),
    "a wrapped prepare": (Items, {"prepare": _wrap(Items.prepare)}, "whose prepare changed"),
    "open": (Socket, {"open": _nothing}, "whose open changed"),
    "on_message": (Socket, {"on_message": _nothing}, "whose on_message changed"),
}


@pytest.mark.parametrize(("base", "attributes", "message"), CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("way", ["make_app", "add_handlers"])
def test_a_class_that_was_changed_does_not_start(
    base: type, attributes: dict[str, Any], message: str, way: str, serve: Callable[..., ResourceServerApplication]
) -> None:
    changed = type("Changed", (base,), {"delete": vars(base).get("delete", _nothing)})
    for name, value in attributes.items():
        setattr(changed, name, value)
    routes = [(r"/items", changed)]
    with pytest.raises(SettingsError, match=f"routes: '/items\\$' leads to .*Changed, .*{message}"):
        serve(routes) if way == "make_app" else serve([]).add_handlers(".*", routes)


def test_a_decorator_that_wraps_prepare_properly_is_accepted() -> None:
    changed: Any = type("Changed", (Items,), {})
    changed.prepare = functools.wraps(changed.prepare)(_wrap(changed.prepare))
    assert None is find_problem(changed, {})
    assert None is find_problem(Socket, {})


class Quiet:
    def __init_subclass__(cls) -> None:
        """Forget to call super()."""


@pytest.mark.parametrize("bases", [(Quiet, Items), (Quiet, BearerAuthMixin, RequestHandler)])
def test_a_class_whose_attributes_were_not_read_does_not_start(bases: tuple[type, ...]) -> None:
    unread = type("Unread", bases, {"scopes": "items:delete"})
    assert "whose requirements were not read; call super().__init_subclass__()" in str(find_problem(unread, {}))


class Registered(BearerAuthMixin, RequestHandler):
    def __init_subclass__(cls, *, scope: str, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.scopes = scope


def test_a_base_class_that_sets_requirements_too_late_does_not_start() -> None:
    class Late(Registered, scope="items:delete"):
        """Requires nothing."""

    assert "whose scopes changed after its class was created" in str(find_problem(Late, {}))


class Named(BearerAuthMixin, RequestHandler):
    def initialize(self, groups: list[str]) -> None:
        self.names = groups


class Scoped(RequestHandler):
    """A handler of another package."""

    def initialize(self, **options: object) -> None:
        vars(self).update(options)


class Anything(BearerAuthMixin, RequestHandler):
    def initialize(self, **options: object) -> None:
        vars(self).update(options)


ARGUMENTS: dict[str, tuple[type, dict[str, Any], str | None]] = {
    "an argument that does not exist": (Items, {"scopes": "items:delete"}, "to which it passes scopes"),
    "one of many arguments": (Anything, {"title": "a", "claims": {"a": "b"}}, "to which it passes claims"),
    "an argument that was stated": (protected(Scoped, scopes=()), {"scopes": "items:delete"}, None),
    "an argument of that name": (Named, {"groups": ["a"]}, None),
    "another argument": (Anything, {"title": "a"}, None),
}


@pytest.mark.parametrize(("handler", "arguments", "message"), ARGUMENTS.values(), ids=ARGUMENTS.keys())
@pytest.mark.parametrize("place", ["a route", "the default handler"])
def test_a_requirement_among_the_arguments_of_a_route_does_not_start(
    handler: type, arguments: dict[str, Any], message: str | None, place: str, serve: Callable[..., Any]
) -> None:
    def start() -> None:
        if place == "a route":
            serve([(r"/items", handler, arguments)])
        else:
            serve([], default_handler_class=handler, default_handler_args=arguments)

    if message is None:
        start()
        return
    with pytest.raises(SettingsError, match=message):
        start()


def test_other_targets_are_not_protected() -> None:
    for target in (RequestHandler, tornado.web.Application([]), print, None):
        assert "which is neither protected nor marked public" in str(find_problem(target, {}))
