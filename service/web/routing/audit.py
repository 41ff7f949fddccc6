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

_DECIDING = ("find_handler", "get_target_delegate", "get_handler_delegate")
"""The methods by which a router of Tornado's, or an application, finds what answers a request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mounted:
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


def check_routes(found: Iterable[Mounted]) -> list[type[BearerAuthMixin]]:
    """Return the handlers of an application, unless anything answers in it without having been judged first.

    Raises:
        SettingsError: A route leads to something other than a :class:`BearerAuthMixin` handler; one sentence for each.
    """
    everything = list(found)
    problems = [problem for one in everything if (problem := _problem_of(one))]
    if problems:
        raise SettingsError(problems)
    return [one.handler for one in everything if one.handler is not None]


def mounted(application: tornado.web.Application, *, default: object) -> Iterator[Mounted]:
    """Yield everything that answers requests, in the order of the rules.

    Args:
        default: What answers all the other paths; it comes last.
    """
    if _decides_itself(application):
        yield Mounted(pattern="(anything)", target=application)
    yield from _leaves(application.default_router, ())
    yield Mounted(pattern="(anything else)", target=default)


def _leaves(router: RuleRouter, around: tuple[Matcher, ...]) -> Iterator[Mounted]:
    for rule in router.rules:
        matchers: tuple[Matcher, ...] = (*around, rule.matcher)
        if (inside := _inside(rule.target)) is not None:
            yield from _leaves(inside, matchers)
        else:
            yield Mounted(pattern=_joined(matchers), target=rule.target, matchers=matchers)


def _inside(target: object) -> RuleRouter | None:
    """Return the router whose rules tell all that a target serves, unless it is something that answers itself."""
    if isinstance(target, Router) and _decides_itself(target):
        return None
    if isinstance(target, tornado.web.Application) and ResourceServerContext.SETTING in target.settings:
        return target.default_router  # an application of its own, whose handlers find their context there
    return target if isinstance(target, RuleRouter) else None


def _joined(matchers: tuple[Matcher, ...]) -> str:
    return " ".join(text for one in matchers for text in _pattern(one)) or "(anything)"


def _decides_itself(router: Router) -> bool:
    """Return whether a router leads elsewhere than its rules say, so that looking at those proves nothing."""
    deciding = [getattr(type(router), name, None) for name in _DECIDING]
    return any(method is not None and not method.__module__.startswith("tornado.") for method in deciding)


def _pattern(matcher: Matcher) -> Iterator[str]:
    regex = getattr(matcher, "regex", None) or getattr(matcher, "host_pattern", None)
    if regex is not None:
        yield repr(regex.pattern)
    elif type(matcher).__name__ != "AnyMatches":
        yield type(matcher).__name__


def _problem_of(one: Mounted) -> str | None:
    if one.handler is None:
        methods = f"{', '.join(one.methods)} of " if one.methods else ""
        return (
            f"routes: {one.pattern} leads to {methods}{one.name}, which is neither protected nor marked public; "
            "put BearerAuthMixin first among its bases, or mount service.protected(…) or service.public(…) of it"
        )
    if Policy.read(one.handler, base=BearerAuthMixin) != one.handler.policy:
        return (
            f"routes: {one.pattern} leads to {one.name}, whose requirements were changed after its class was made, "
            "where nobody reads them; write them on the class"
        )
    return None
