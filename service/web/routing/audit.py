"""Walks the routes before anything is served: each is protected, or says itself that it is public."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tornado.web
from tornado.routing import Matcher, Router, RuleRouter

from service.errors import SettingsError
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.policy import Policy
from service.web.responses.methods import handler_methods

_ROUTING_METHODS = ("find_handler", "get_target_delegate", "get_handler_delegate")
"""The methods by which a router of Tornado's, or an application, finds what answers a request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MountedRoute:
    """Something that answers requests, and where.

    Args:
        pattern: What leads to it: the patterns of its own rule and of those around it.
        target: A handler class, where it is what a protected application serves.
        matchers: The matchers of those rules, its own last; none for what answers where no rule does.
    """

    pattern: str
    target: object
    matchers: tuple[Matcher, ...] = ()

    @property
    def handler(self) -> type[BearerAuthMixin] | None:
        """The handler class, unless it is something that nobody judges first."""
        target = self.target
        return target if isinstance(target, type) and issubclass(target, BearerAuthMixin) else None

    @property
    def methods(self) -> list[str]:
        """The methods that it has; of what is no handler, nobody knows."""
        is_handler = isinstance(self.target, type) and issubclass(self.target, tornado.web.RequestHandler)
        return handler_methods(self.target) if is_handler else []  # type: ignore[arg-type]  # it is one

    @property
    def name(self) -> str:
        """Its name, with its module."""
        kind = self.target if isinstance(self.target, type) else type(self.target)
        return f"{'the router ' if isinstance(self.target, Router) else ''}{kind.__module__}.{kind.__qualname__}"


def check_routes(found: Iterable[MountedRoute]) -> list[type[BearerAuthMixin]]:
    """Return the handlers of an application, unless anything answers in it without having been judged first.

    Raises:
        SettingsError: A route leads to something other than a :class:`BearerAuthMixin` handler; one sentence for each.
    """
    routes = list(found)
    problems = [problem for route in routes if (problem := _find_problem(route))]
    if problems:
        raise SettingsError(problems)
    return [route.handler for route in routes if route.handler is not None]


def mounted_routes(application: tornado.web.Application, *, default: object) -> Iterator[MountedRoute]:
    """Yield everything that answers requests, in the order of the rules.

    Args:
        default: What answers all the other paths; it comes last.
    """
    if _overrides_routing(application):
        yield MountedRoute(pattern="(anything)", target=application)
    yield from _walk(application.default_router, ())
    yield MountedRoute(pattern="(anything else)", target=default)


def _walk(router: RuleRouter, around: tuple[Matcher, ...]) -> Iterator[MountedRoute]:
    for rule in router.rules:
        matchers: tuple[Matcher, ...] = (*around, rule.matcher)
        if (inside := _nested_router(rule.target)) is not None:
            yield from _walk(inside, matchers)
        else:
            yield MountedRoute(pattern=_joined(matchers), target=rule.target, matchers=matchers)


def _nested_router(target: object) -> RuleRouter | None:
    """Return the router whose rules tell all that a target serves, unless it is something that answers itself."""
    if isinstance(target, Router) and _overrides_routing(target):
        return None
    if isinstance(target, tornado.web.Application) and ResourceServerContext.SETTING in target.settings:
        return target.default_router  # an application of its own, whose handlers find their context there
    return target if isinstance(target, RuleRouter) else None


def _joined(matchers: tuple[Matcher, ...]) -> str:
    return " ".join(text for matcher in matchers for text in _pattern(matcher)) or "(anything)"


def _overrides_routing(router: Router) -> bool:
    """Return whether a router leads elsewhere than its rules say, so that looking at those proves nothing."""
    routing_methods = [getattr(type(router), name, None) for name in _ROUTING_METHODS]
    return any(method is not None and not method.__module__.startswith("tornado.") for method in routing_methods)


def _pattern(matcher: Matcher) -> Iterator[str]:
    regex = getattr(matcher, "regex", None) or getattr(matcher, "host_pattern", None)
    if regex is not None:
        yield repr(regex.pattern)
    elif type(matcher).__name__ != "AnyMatches":
        yield type(matcher).__name__


def _find_problem(route: MountedRoute) -> str | None:
    if route.handler is None:
        methods = f"{', '.join(route.methods)} of " if route.methods else ""
        return (
            f"routes: {route.pattern} leads to {methods}{route.name}, which is neither protected nor marked public; "
            "put BearerAuthMixin first among its bases, or mount service.protected(…) or service.public(…) of it"
        )
    if Policy.read(route.handler, base=BearerAuthMixin) != route.handler.policy:
        return (
            f"routes: {route.pattern} leads to {route.name}, whose requirements were changed after its class was made, "
            "where nobody reads them; write them on the class"
        )
    return None
