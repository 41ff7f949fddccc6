from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import HostMatches, Matcher, PathMatches, Router, Rule, RuleRouter
from tornado.web import Application

from service.errors import SettingsError
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import protect_application
from service.web.endpoints.okta_guide import Hello, WhoAmI
from service.web.routing.audit import mounted_routes


class Unprotected(tornado.web.RequestHandler):
    """A handler without the mixin."""


class CustomRouter(Router):
    """A router whose rules cannot be listed."""


class OverridingRouter(RuleRouter):
    """A router that does not follow its rules."""

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> None:
        raise AssertionError(f"called for {request.path}")


class OverridingApplication(tornado.web.Application):
    """An application that does not follow its routes."""

    def get_handler_delegate(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("called")


class Weekday(Matcher):
    """A matcher that compares neither path nor host."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        raise AssertionError(f"called for {request.path}")


HOST = HostMatches("a.example")
MIXIN = "put BearerAuthMixin first"
UNSAFE: dict[str, tuple[Any, str, str]] = {
    "a handler without the mixin": ((r"/x", Unprotected), "Unprotected", MIXIN),
    "a handler of Tornado": (
        (r"/x/(.*)", tornado.web.StaticFileHandler, {"path": "."}),
        "StaticFileHandler",
        "set static_handler_class to one of these if the setting static_path mounts it",
    ),
    "a handler in a list of rules": (Rule(HOST, [(r"/x", Unprotected)]), "Unprotected", MIXIN),
    "a handler in another router": (Rule(HOST, RuleRouter([(r"/x", Unprotected)])), "Unprotected", MIXIN),
    "a handler in another application": (Rule(HOST, Application([(r"/x", Unprotected)])), "Unprotected", MIXIN),
    "the default handler of another application": (
        Rule(HOST, Application([], default_handler_class=Unprotected)),
        "(anything else) leads to",
        MIXIN,
    ),
    "a router without a list of rules": (Rule(HOST, CustomRouter()), "CustomRouter", "find_handler of its own"),
    "a router that does not follow its rules": (
        Rule(HOST, OverridingRouter([(r"/x", WhoAmI)])),
        "OverridingRouter",
        "pass wrap=protected(…), or a mapping with the pattern '.*', to protect(…)",
    ),
    "a handler behind a custom matcher": (Rule(Weekday(), Unprotected), "Weekday leads to", MIXIN),
    "a function": (Rule(HOST, print), "builtin_function", "mount service.protected(FallbackHandler) with it"),
}


@pytest.mark.parametrize(("route", "name", "advice"), UNSAFE.values(), ids=UNSAFE.keys())
def test_an_unprotected_route_is_rejected_at_startup(
    route: Any, name: str, advice: str, serve: Callable[..., ResourceServerApplication]
) -> None:
    with pytest.raises(SettingsError) as error:
        serve([(r"/api/hello", Hello), route])
    (problem,) = error.value.problems
    assert name in problem
    assert advice in problem


def test_protected_and_public_handlers_are_accepted(serve: Callable[..., ResourceServerApplication]) -> None:
    serve([(r"/api/hello", Hello), Rule(HostMatches("a.example"), [(r"/api/whoami", WhoAmI)])])


def test_the_error_names_the_methods_and_every_pattern(serve: Callable[..., ResourceServerApplication]) -> None:
    files = Rule(HostMatches("a.example"), [(r"/x/(.*)", tornado.web.StaticFileHandler, {"path": "."})])
    with pytest.raises(SettingsError) as error:
        serve([files])
    leads = "routes: 'a.example$' '/x/(.*)$' leads to GET, HEAD of tornado.web.StaticFileHandler, "
    assert error.value.problems[0].startswith(leads)


def test_an_unprotected_default_handler_is_rejected(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    with pytest.raises(SettingsError, match=r"\(anything else\) leads to .*Unprotected"):
        serve([], default_handler_class=Unprotected)
    assert WhoAmI is serve([], default_handler_class=WhoAmI).settings["default_handler_class"]


def test_a_nested_application_with_its_own_protection_is_accepted(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    inner = serve([(r"/inner/whoami", WhoAmI)])
    outer = serve([Rule(PathMatches(r"/inner/.*"), inner)])
    assert inner.settings["resource_server"] is not outer.settings["resource_server"]


def test_requirements_changed_after_class_creation_are_rejected(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    changed = type("Changed", (Hello,), {})
    changed.public = False  # type: ignore[attr-defined]  # the mistake under test
    with pytest.raises(SettingsError, match="changed after its class was created"):
        serve([(r"/x", changed)])


def test_an_application_that_overrides_routing_is_rejected(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    application = OverridingApplication([(r"/whoami", WhoAmI)])
    with pytest.raises(SettingsError, match=r"\(anything\) leads to the router .*OverridingApplication"):
        protect_application(application, serve([]))
    inner = OverridingApplication([(r"/whoami", WhoAmI)])
    inner.settings |= serve([]).settings
    with pytest.raises(SettingsError, match=r"the router .*OverridingApplication"):
        serve([Rule(PathMatches(r"/inner/.*"), inner)])


class OtherDelegates(tornado.web.Application):
    """An application that does not look for a handler."""

    def start_request(self, *_: Any) -> Any:
        raise AssertionError("called")


class CountedRequests(tornado.web.Application):
    """An application that counts requests, and then looks for a handler as usual."""

    def start_request(self, *connections: Any) -> Any:
        return super().start_request(*connections)


def test_an_application_that_does_not_start_requests_as_usual_is_rejected(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    protect_application(CountedRequests([(r"/whoami", WhoAmI)]), serve([]))
    with pytest.raises(SettingsError, match=r"\(anything\) leads to the router .*OtherDelegates"):
        protect_application(OtherDelegates([(r"/whoami", WhoAmI)]), serve([]))


def test_a_router_that_hides_its_routes_is_accepted_where_each_handler_is_wrapped() -> None:
    application = OverridingApplication([Rule(HOST, OverridingRouter([(r"/x", WhoAmI)]))])
    names = [route.pattern for route in mounted_routes(application, default=WhoAmI, wraps_found=True)]
    assert ["'a.example$' '/x$'", "(anything else)"] == names


def test_every_unprotected_route_is_reported(serve: Callable[..., ResourceServerApplication]) -> None:
    with pytest.raises(SettingsError) as error:
        serve([(r"/one", Unprotected), (r"/two", Unprotected)])
    assert ["'/one$'", "'/two$'"] == [problem.split()[1] for problem in error.value.problems]
