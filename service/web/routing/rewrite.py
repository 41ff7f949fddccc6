"""Protects the handlers of an application that is built already, in all rules of all its routers."""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import tornado.web
from tornado.routing import PathMatches, Rule, RuleRouter, URLSpec

from service.errors import SettingsError
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.patterns import PatternTable
from service.web.routing.wrap import StatedRequirements, protected, public

Handler = type[tornado.web.RequestHandler]
Wrap = StatedRequirements | Callable[[Handler, str], Handler | StatedRequirements] | Mapping[str, StatedRequirements]
"""The requirements of all routes, a function of a handler class and a pattern, or a mapping from patterns."""

_ANY_PATTERN = ".*"
"""The pattern of a rule that does not compare the path, and of a handler that no rule names."""


class RouteWrapper:
    """Protects the unprotected handlers of applications, as the argument ``wrap`` of ``protect`` says.

    A handler that is protected or public already keeps its requirements, unless a mapping names its whole pattern.

    Args:
        wrap: The argument.

    Raises:
        SettingsError: It has a type or a value without a meaning.
    """

    def __init__(self, wrap: Wrap) -> None:
        self._table: PatternTable | None = None
        self._select: Callable[[Handler, str], object]
        if isinstance(wrap, Mapping):
            self._table = table = PatternTable(wrap)
            self._select = lambda _handler, pattern: table.find(pattern)
        elif isinstance(wrap, StatedRequirements):
            self._select = lambda _handler, _pattern: wrap
        elif wrap in _FUNCTIONS:
            name = getattr(wrap, "__name__", "")
            raise SettingsError([f"wrap: was the function {name}; call it: wrap={name}()"])
        else:
            _check_signature(wrap)
            self._select = wrap
        self._wrapped: dict[tuple[Handler, StatedRequirements], Handler] = {}

    def find(self, handler: Handler) -> Handler:
        """Return the protected class of a handler that no rule names, such as one that an application finds by itself.

        Raises:
            SettingsError: It cannot be protected.
        """
        if issubclass(handler, BearerAuthMixin):
            return handler
        if handler is tornado.web.ErrorHandler:
            return self._protect(handler, _PUBLIC)  # Tornado's response to an unknown path
        return self._handler_for(handler, _ANY_PATTERN)

    @property
    def finds_any(self) -> bool:
        """Whether the requirements of a handler that no rule names are known."""
        return self._table is None or self._table.rest is not None

    @contextlib.contextmanager
    def applied(self, applications: Iterable[tornado.web.Application], *, is_complete: bool) -> Iterator[None]:
        """Replace the unprotected handlers in the rules of applications; restore the rules if the block fails.

        Args:
            applications: All applications, nested ones included.
            is_complete: Whether these are all routes, so that each pattern of a mapping must match one.

        Raises:
            SettingsError: A handler cannot be protected, or a pattern of a mapping matches no route.
        """
        originals: list[tuple[RuleRouter, list[Rule]]] = []
        try:
            self._replace([router for each in applications for router in _routers(each)], originals)
            yield
            if is_complete:
                self._check_patterns([rule for _, rules in originals for rule in rules if _is_handler(rule.target)])
        except BaseException:
            for router, rules in originals:
                router.rules[:] = rules
            raise

    def _check_patterns(self, rules: Iterable[Rule]) -> None:
        problems = [] if self._table is None else self._table.unused(_pattern(rule) for rule in rules)
        if problems:
            raise SettingsError(problems)

    def _replace(self, routers: list[RuleRouter], originals: list[tuple[RuleRouter, list[Rule]]]) -> None:
        problems: list[str] = []
        for router in routers:
            originals.append((router, list(router.rules)))
            for index, rule in enumerate(originals[-1][1]):
                try:
                    router.rules[index] = self._protected_rule(rule)
                except SettingsError as exc:
                    name = f"{rule.target.__module__}.{rule.target.__qualname__}"
                    problems += [f"routes: {_pattern(rule)!r} leads to {name}: {problem}" for problem in exc.problems]
        if problems:
            raise SettingsError(problems)

    def _protected_rule(self, rule: Rule) -> Rule:
        """Return a copy of a rule, which several applications may share, that leads to a protected handler."""
        target, pattern = rule.target, _pattern(rule)
        if not _is_handler(target):
            return rule
        if not issubclass(target, BearerAuthMixin):
            handler = self._handler_for(target, pattern)
        elif self._table is not None and (requirements := self._table.exact(pattern)) is not None:
            handler = self._protect(target, requirements)
        else:
            return rule
        replaced = copy.copy(rule)
        replaced.target = handler
        if isinstance(replaced, URLSpec):
            replaced.handler_class = handler
        return replaced

    def _handler_for(self, handler: Handler, pattern: str) -> Handler:
        selected = self._select(handler, pattern)
        if isinstance(selected, StatedRequirements):
            return self._protect(handler, selected)
        if isinstance(selected, type) and issubclass(selected, BearerAuthMixin):
            return selected
        raise SettingsError([f"wrap returned {selected!r}; expected protected(…), public(), or a class made by them"])

    def _protect(self, handler: Handler, requirements: StatedRequirements) -> Handler:
        key = handler, requirements
        if key not in self._wrapped:
            try:
                self._wrapped[key] = requirements(handler)
            except (TypeError, ValueError) as exc:
                raise SettingsError([str(exc)]) from exc
        return self._wrapped[key]


_PUBLIC = public()
_FUNCTIONS: tuple[object, ...] = (protected, public)
"""The functions that return requirements, and are easily taken for these."""


def nested_applications(router: RuleRouter) -> Iterator[tornado.web.Application]:
    """Yield the applications that the rules of a router lead to and that are not protected, at any depth."""
    for rule in router.rules:
        target: Any = rule.target
        if isinstance(target, tornado.web.Application):
            if ResourceServerContext.SETTING not in target.settings:
                yield target
                yield from nested_applications(target.default_router)
        elif isinstance(target, RuleRouter):
            yield from nested_applications(target)


def _routers(application: tornado.web.Application) -> Iterator[RuleRouter]:
    """Yield the routers of an application, without those of nested applications."""
    pending: list[RuleRouter] = [application.default_router]
    for router in pending:
        yield router
        targets = [rule.target for rule in router.rules]
        pending += [
            each for each in targets if isinstance(each, RuleRouter) and not isinstance(each, tornado.web.Application)
        ]


def _is_handler(target: object) -> bool:
    return isinstance(target, type) and issubclass(target, tornado.web.RequestHandler)


def _pattern(rule: Rule) -> str:
    """Return the pattern of a rule as its author wrote it, without the ``$`` that Tornado adds."""
    matcher = rule.matcher
    return matcher.regex.pattern.removesuffix("$") if isinstance(matcher, PathMatches) else _ANY_PATTERN


def _check_signature(wrap: object) -> None:
    try:
        inspect.signature(wrap).bind(None, None)  # type: ignore[arg-type]  # raises TypeError for other objects
    except TypeError:
        expected = (
            "protected(…), a mapping from patterns to protected(…), or a function of a handler class and a pattern"
        )
        raise SettingsError([f"wrap: was {wrap!r}; expected {expected}"]) from None
