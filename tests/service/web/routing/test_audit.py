from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import HostMatches, Matcher, PathMatches, Router, Rule, RuleRouter

from service.errors import SettingsError
from service.web.application.application import ResourceServerApplication, protect_application
from service.web.endpoints.okta_guide import Hello, WhoAmI


class Forgotten(tornado.web.RequestHandler):
    """A handler whose author forgot the mixin."""


class Custom(Router):
    """A router that nobody can look into."""


class Moody(RuleRouter):
    """A router with rules that it does not follow."""

    def find_handler(self, request: HTTPServerRequest, **_: Any) -> None:
        raise AssertionError(f"asked about {request.path}")


class MoodyApplication(tornado.web.Application):
    """An application that serves something else than its routes."""

    def get_handler_delegate(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("asked")


class Weekday(Matcher):
    """A matcher that looks at no path and no host."""

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        raise AssertionError(f"asked about {request.path}")


REFUSED: dict[str, tuple[Any, str]] = {
    "a handler without the mixin": ((r"/x", Forgotten), "Forgotten"),
    "a handler of Tornado's": ((r"/x/(.*)", tornado.web.StaticFileHandler, {"path": "."}), "StaticFileHandler"),
    "a handler in a list of rules": (Rule(HostMatches("a.example"), [(r"/x", Forgotten)]), "Forgotten"),
    "a handler in another router": (Rule(HostMatches("a.example"), RuleRouter([(r"/x", Forgotten)])), "Forgotten"),
    "a router that nobody can look into": (Rule(HostMatches("a.example"), Custom()), "Custom"),
    "a router that does not follow its rules": (Rule(HostMatches("a.example"), Moody([(r"/x", WhoAmI)])), "Moody"),
    "a handler behind a matcher of one's own": (Rule(Weekday(), Forgotten), "Weekday leads to"),
    "a function": (Rule(HostMatches("a.example"), print), "builtin_function"),
}


@pytest.mark.parametrize(("route", "name"), REFUSED.values(), ids=REFUSED.keys())
def test_stops_the_start_and_names(route: Any, name: str, serve: Callable[..., ResourceServerApplication]) -> None:
    with pytest.raises(SettingsError) as refusal:
        serve([(r"/api/hello", Hello), route])
    (problem,) = refusal.value.problems
    assert name in problem
    assert "BearerAuthMixin" in problem


def test_lets_protected_and_public_handlers_pass(serve: Callable[..., ResourceServerApplication]) -> None:
    serve([(r"/api/hello", Hello), Rule(HostMatches("a.example"), [(r"/api/whoami", WhoAmI)])])


def test_names_the_methods_and_every_pattern_on_the_way(serve: Callable[..., ResourceServerApplication]) -> None:
    files = Rule(HostMatches("a.example"), [(r"/x/(.*)", tornado.web.StaticFileHandler, {"path": "."})])
    with pytest.raises(SettingsError) as refusal:
        serve([files])
    leads = "routes: 'a.example$' '/x/(.*)$' leads to GET, HEAD of tornado.web.StaticFileHandler, "
    assert refusal.value.problems[0].startswith(leads)


def test_refuses_what_answers_all_other_paths_unless_it_is_protected(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    with pytest.raises(SettingsError, match=r"\(anything else\) leads to .*Forgotten"):
        serve([], default_handler_class=Forgotten)
    assert WhoAmI is serve([], default_handler_class=WhoAmI).settings["default_handler_class"]


def test_looks_into_an_application_that_is_protected_itself(serve: Callable[..., ResourceServerApplication]) -> None:
    inner = serve([(r"/inner/whoami", WhoAmI)])
    serve([Rule(PathMatches(r"/inner/.*"), inner)])
    bare = tornado.web.Application([(r"/inner/whoami", WhoAmI)])
    with pytest.raises(SettingsError, match="the router tornado"):
        serve([Rule(PathMatches(r"/inner/.*"), bare)])


def test_refuses_demands_that_were_changed_after_the_class_was_made(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    changed = type("Changed", (Hello,), {})
    changed.public = False  # type: ignore[attr-defined]  # that is the mistake
    with pytest.raises(SettingsError, match="changed after its class was created"):
        serve([(r"/x", changed)])


def test_refuses_an_application_that_does_not_follow_its_routes(
    serve: Callable[..., ResourceServerApplication],
) -> None:
    theirs = MoodyApplication([(r"/whoami", WhoAmI)])
    with pytest.raises(SettingsError, match=r"\(anything\) leads to the router .*MoodyApplication"):
        protect_application(theirs, serve([]))
    inner = MoodyApplication([(r"/whoami", WhoAmI)])
    inner.settings |= serve([]).settings
    with pytest.raises(SettingsError, match=r"the router .*MoodyApplication"):
        serve([Rule(PathMatches(r"/inner/.*"), inner)])


def test_names_every_mistake_and_its_pattern(serve: Callable[..., ResourceServerApplication]) -> None:
    with pytest.raises(SettingsError) as refusal:
        serve([(r"/one", Forgotten), (r"/two", Forgotten)])
    assert ["'/one$'", "'/two$'"] == [problem.split()[1] for problem in refusal.value.problems]
