"""Walks the routes before anything is served: each is protected, or says itself that it is public."""

from __future__ import annotations

from collections.abc import Iterator

from tornado.routing import Router, Rule, RuleRouter

from service.errors import SettingsError
from service.web.mixin import BearerAuthMixin

__all__ = ["check_routes"]


def check_routes(router: RuleRouter) -> list[type[BearerAuthMixin]]:
    """Return the handlers of an application, unless anything answers in it without having been judged first.

    Raises:
        SettingsError: A route leads to something other than a :class:`BearerAuthMixin` handler; one sentence for each.
    """
    handlers, problems = [], []
    for rule in _leaves(router):
        if isinstance(rule.target, type) and issubclass(rule.target, BearerAuthMixin):
            handlers.append(rule.target)
        else:
            problems.append(
                f"routes: {_pattern(rule)} leads to {_name(rule.target)}, which is neither protected nor marked "
                "public; put BearerAuthMixin first among its bases"
            )
    if problems:
        raise SettingsError(problems)
    return handlers


def _leaves(router: RuleRouter) -> Iterator[Rule]:
    for rule in router.rules:
        if isinstance(rule.target, RuleRouter):
            yield from _leaves(rule.target)
        else:
            yield rule


def _pattern(rule: Rule) -> str:
    regex = getattr(rule.matcher, "regex", None)
    return repr(regex.pattern) if regex is not None else type(rule.matcher).__name__


def _name(target: object) -> str:
    kind = target if isinstance(target, type) else type(target)
    return f"{'the router ' if isinstance(target, Router) else ''}{kind.__module__}.{kind.__qualname__}"
