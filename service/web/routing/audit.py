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
_NOT_LISTED = (
    "which finds handlers by {} of its own, so its routes cannot be listed; pass wrap=protected(…), "
    "or a mapping with the pattern '.*', to protect(…), or mount these routes in a tornado.web.Application"
)
_NOT_DISPATCHED = (
    "whose start_request looks for no handler, so its requests cannot be authenticated; "
    "call start_request of tornado.web.Application in it"
)


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
        problem = _find_router_problem(self.target) or find_problem(self.target, self.arguments)
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


def mounted_routes(
    application: tornado.web.Application, *, default: object, wraps_found: bool = False
) -> Iterator[MountedRoute]:
    """Yield all targets of an application and of those nested in it, in the order of its rules.

    Args:
        default: The handler of all other paths, which comes last.
        wraps_found: Whether handlers that an application finds without a rule are protected, so that a router with its
            own code is no target.
    """
    if _hides_routes(application, wraps_found=wraps_found):
        yield MountedRoute(pattern="(anything)", target=application)
    yield from _walk(application.default_router, (), default=default, wraps_found=wraps_found)
    arguments = application.settings.get("default_handler_args", {})
    yield MountedRoute(pattern="(anything else)", target=default, arguments=arguments)


def route_of(application: tornado.web.Application, request: HTTPServerRequest) -> MountedRoute:
    """Return the first route of an application that matches a request."""
    routes = mounted_routes(application, default=application.settings.get("default_handler_class"))
    return next(  # the default route, which comes last, has no matchers
        route for route in routes if all(matcher.match(request) is not None for matcher in route.matchers)
    )


def _walk(
    router: RuleRouter, outer: tuple[Matcher, ...], *, default: object, wraps_found: bool
) -> Iterator[MountedRoute]:
    for rule in router.rules:
        matchers: tuple[Matcher, ...] = (*outer, rule.matcher)
        pattern, target = _describe_matchers(matchers), rule.target
        if not isinstance(target, Router) or _hides_routes(target, wraps_found=wraps_found):
            yield MountedRoute(pattern=pattern, target=target, matchers=matchers, arguments=rule.target_kwargs)
            continue
        if isinstance(target, tornado.web.Application):
            yield from _walk(target.default_router, matchers, default=default, wraps_found=wraps_found)
            if ResourceServerContext.SETTING not in target.settings:
                own_default = target.settings.get("default_handler_class") or default
                yield MountedRoute(pattern=f"{pattern} (anything else)", target=own_default, matchers=matchers)
        elif isinstance(target, RuleRouter):
            yield from _walk(target, matchers, default=default, wraps_found=wraps_found)


def _describe_matchers(matchers: tuple[Matcher, ...]) -> str:
    return " ".join(text for matcher in matchers for text in _pattern(matcher)) or "(anything)"


def _hides_routes(router: Router, *, wraps_found: bool) -> bool:
    """Return whether the rules of a router do not show all that it serves, and it is not protected in another way."""
    return _skips_routing(router) or (not wraps_found and _own_routing(router) is not None)


def _skips_routing(router: Router) -> bool:
    start_request = type(router).start_request
    return not _is_tornados(start_request) and "start_request" not in start_request.__code__.co_names


def _own_routing(router: Router) -> str | None:
    """Return the method by which a router finds handlers with code of its own; None if it follows its rules."""
    if not isinstance(router, RuleRouter | tornado.web.Application):
        return "find_handler"
    methods = {name: getattr(type(router), name, None) for name in _ROUTING_METHODS}
    return next((name for name, method in methods.items() if method is not None and not _is_tornados(method)), None)


def _is_tornados(method: Any) -> bool:
    return bool(method.__module__.startswith("tornado."))


def _find_router_problem(target: object) -> str | None:
    if not isinstance(target, Router):
        return None
    return _NOT_DISPATCHED if _skips_routing(target) else _NOT_LISTED.format(_own_routing(target))


def _pattern(matcher: Matcher) -> Iterator[str]:
    regex = getattr(matcher, "regex", None) or getattr(matcher, "host_pattern", None)
    if regex is not None:
        yield repr(regex.pattern)
    elif type(matcher).__name__ != "AnyMatches":
        yield type(matcher).__name__
