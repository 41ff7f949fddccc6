"""Checks at start that every route leads to a handler that is protected or marked public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher, Router, RuleRouter

from service.errors import SettingsError
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.problems import find_problem
from service.web.responses.methods import handler_methods

_ROUTING_METHODS = ("find_handler", "get_target_delegate", "get_handler_delegate")
"""The methods by which a router or an application of Tornado finds the handler of a request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MountedRoute:
    """A target that serves requests, and the rules that lead to it.

    Args:
        pattern: The patterns of the enclosing rules and of its own rule.
        target: The target of the rule; a handler class in a protected application.
        matchers: The matchers of these rules, its own last; empty for the default handler.
        arguments: What the rule passes to the target.
    """

    pattern: str
    target: object
    matchers: tuple[Matcher, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def handler(self) -> type[BearerAuthMixin] | None:
        """The handler class, or None if the target does not inherit :class:`BearerAuthMixin`."""
        target = self.target
        return target if isinstance(target, type) and issubclass(target, BearerAuthMixin) else None

    @property
    def methods(self) -> list[str]:
        """The methods of the handler; empty if the target is not a handler class."""
        is_handler = isinstance(self.target, type) and issubclass(self.target, tornado.web.RequestHandler)
        return handler_methods(self.target) if is_handler else []  # type: ignore[arg-type]  # a handler class

    @property
    def name(self) -> str:
        """The qualified name of the target."""
        kind = self.target if isinstance(self.target, type) else type(self.target)
        return f"{'the router ' if isinstance(self.target, Router) else ''}{kind.__module__}.{kind.__qualname__}"

    @property
    def problem(self) -> str | None:
        """A sentence that says why the target must not serve requests; None if it may."""
        problem = find_problem(self.target, self.arguments)
        return None if problem is None else self.describe(problem)

    def describe(self, problem: str) -> str:
        """Return a sentence about the route; ``problem`` follows the name of the target."""
        methods = f"{', '.join(self.methods)} of " if self.methods and self.handler is None else ""
        return f"routes: {self.pattern} leads to {methods}{self.name}, {problem}"


def check_routes(routes: Iterable[MountedRoute]) -> list[type[BearerAuthMixin]]:
    """Return the handlers of an application, all of which are protected or public.

    Raises:
        SettingsError: A route leads to something other than a :class:`BearerAuthMixin` handler, or to one that does
            not enforce what it states; one sentence for each.
    """
    routes = list(routes)
    problems = [problem for route in routes if (problem := route.problem)]
    if problems:
        raise SettingsError(problems)
    return [route.handler for route in routes if route.handler is not None]


def mounted_routes(application: tornado.web.Application, *, default: object) -> Iterator[MountedRoute]:
    """Yield all targets of an application, in the order of its rules.

    Args:
        default: The handler of all other paths, which comes last.
    """
    if _overrides_routing(application):
        yield MountedRoute(pattern="(anything)", target=application)
    yield from _walk(application.default_router, ())
    arguments = application.settings.get("default_handler_args", {})
    yield MountedRoute(pattern="(anything else)", target=default, arguments=arguments)


def route_of(application: tornado.web.Application, request: HTTPServerRequest) -> MountedRoute:
    """Return the first route of an application that matches a request."""
    routes = mounted_routes(application, default=application.settings.get("default_handler_class"))
    return next(  # the default route, which comes last, has no matchers
        route for route in routes if all(matcher.match(request) is not None for matcher in route.matchers)
    )


def _walk(router: RuleRouter, outer: tuple[Matcher, ...]) -> Iterator[MountedRoute]:
    for rule in router.rules:
        matchers: tuple[Matcher, ...] = (*outer, rule.matcher)
        if (nested := _nested_router(rule.target)) is not None:
            yield from _walk(nested, matchers)
        else:
            pattern = _describe_matchers(matchers)
            yield MountedRoute(pattern=pattern, target=rule.target, matchers=matchers, arguments=rule.target_kwargs)


def _nested_router(target: object) -> RuleRouter | None:
    """Return the router whose rules list everything that a target serves, or None if there is no such router."""
    if isinstance(target, Router) and _overrides_routing(target):
        return None
    if isinstance(target, tornado.web.Application) and ResourceServerContext.SETTING in target.settings:
        return target.default_router  # a protected application, whose handlers have their own context
    return target if isinstance(target, RuleRouter) else None


def _describe_matchers(matchers: tuple[Matcher, ...]) -> str:
    return " ".join(text for matcher in matchers for text in _pattern(matcher)) or "(anything)"


def _overrides_routing(router: Router) -> bool:
    """Return whether a router overrides Tornado's routing, so that its rules do not show what it serves."""
    routing_methods = [getattr(type(router), name, None) for name in _ROUTING_METHODS]
    if any(method is not None and not method.__module__.startswith("tornado.") for method in routing_methods):
        return True
    start_request = type(router).start_request
    is_tornados = start_request.__module__.startswith("tornado.")
    return not is_tornados and "start_request" not in start_request.__code__.co_names  # it calls no other one


def _pattern(matcher: Matcher) -> Iterator[str]:
    regex = getattr(matcher, "regex", None) or getattr(matcher, "host_pattern", None)
    if regex is not None:
        yield repr(regex.pattern)
    elif type(matcher).__name__ != "AnyMatches":
        yield type(matcher).__name__
