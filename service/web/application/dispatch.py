"""Dispatches each request to a handler that is protected or public, whatever the routes have become since the start."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import tornado.web
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest

from service.errors import SettingsError
from service.web.application.head import serve_head_by_get
from service.web.handler.adaptation import Adapt, find_adaptation
from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.problems import find_problem
from service.web.policy.assigned import CLASS_ONLY
from service.web.policy.attribute_values import copy_values, current_values
from service.web.routing.audit import route_of

_STATE = CLASS_ONLY | {
    "prepare",
    "policy",
    "_execute",
    "_requirements",
    "_principal",
    "_credentials",
    "_is_authentication_done",
}
"""The attributes that no new handler has: they would replace a check, or are left from an earlier request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _CheckedClass:
    """A handler class as it was when it was checked.

    Args:
        values: The values of its attributes.
        methods: Its ``prepare`` and ``_execute``, and their types, since a proxy equals the method that it wraps.
        adapt: Makes authentication run first in a handler; None if the class does so itself.
        serves_head: Whether its ``get`` responds to HEAD.
    """

    values: tuple[object, ...]
    methods: tuple[object, ...]
    adapt: Adapt | None
    serves_head: bool


class _Creator(functools.partial[tornado.web.RequestHandler]):
    """Creates the handler of one request, in place of the handler class; by its type, a delegate is known as ours."""


class _UnprotectedRoute(BearerAuthMixin, tornado.web.RequestHandler):
    """Responds 500 in place of what a route leads to, and logs the route."""

    public = True

    def initialize(
        self, *, target: object = None, problem: str | None = None, cause: BaseException | None = None
    ) -> None:
        """Store the target in place of which this handler is created, and what is wrong with it, if known."""
        self._target = target
        self._problem = problem
        self._cause = cause

    def prepare(self) -> None:
        """Respond 500 to every method."""
        route = route_of(self.application, self.request)
        if self._target is not None:
            route = replace(route, target=self._target)
        problem = self._problem or find_problem(route.target, {}) or "but another object would have served the request"
        raise RuntimeError(route.describe(problem)) from self._cause

    def data_received(self, chunk: bytes) -> None:
        """Ignore the body, which the intended handler would have read as a stream."""


class Dispatcher:
    """Creates the handlers of the applications in which it is installed.

    Args:
        check: Raises SettingsError unless the application can validate the tokens of a handler class.
        head_as_get: Whether the ``get`` of each handler without a ``head`` responds to HEAD.
    """

    def __init__(self, check: Callable[[type[BearerAuthMixin]], None], *, head_as_get: bool = False) -> None:
        self._check = check
        self._head_as_get = head_as_get
        self._checked: dict[type, _CheckedClass] = {}

    def install(self, application: tornado.web.Application) -> None:
        """Replace the two methods by which an application, whose class may not be ours, finds a handler."""
        for name, method in (("find_handler", self._find_handler), ("get_handler_delegate", self._get_delegate)):
            setattr(application, name, functools.partial(method, application, getattr(application, name)))

    def _find_handler(
        self,
        application: tornado.web.Application,
        find_handler: Callable[..., HTTPMessageDelegate],
        request: HTTPServerRequest,
        **kwargs: Any,
    ) -> HTTPMessageDelegate:
        """Return the delegate that the routes select, unless it is a function or another object that is not ours."""
        delegate = find_handler(request, **kwargs)
        if isinstance(getattr(delegate, "handler_class", None), _Creator):
            return delegate
        return application.get_handler_delegate(request, _UnprotectedRoute)

    def _get_delegate(
        self,
        _application: tornado.web.Application,
        get_delegate: Callable[..., Any],
        request: HTTPServerRequest,
        target_class: type[tornado.web.RequestHandler],
        *args: Any,
        **kwargs: Any,
    ) -> HTTPMessageDelegate:
        """Return the delegate of a handler class, which creates the handler by :meth:`_create`."""
        delegate = get_delegate(request, target_class, *args, **kwargs)
        delegate.handler_class = _Creator(self._create, target_class)
        return delegate  # type: ignore[no-any-return]  # Tornado's class is private

    def _create(
        self,
        target_class: type[tornado.web.RequestHandler],
        application: tornado.web.Application,
        request: HTTPServerRequest,
        **kwargs: Any,
    ) -> tornado.web.RequestHandler:
        """Return a handler that authenticates this very request before any of its methods runs.

        Returns:
            The handler that the route leads to, or an :class:`_UnprotectedRoute` in its place.
        """
        if not issubclass(target_class, BearerAuthMixin):
            return _UnprotectedRoute(application, request, target=target_class)
        try:
            handler = target_class(application, request, **kwargs)
        except Exception as exc:  # noqa: BLE001  # Tornado would close the connection without a response
            problem = "which cannot be created"
            return _UnprotectedRoute(application, request, target=target_class, problem=problem, cause=exc)
        kind = type(handler)  # the class may return a handler of another class
        checked = self._checked.get(kind)
        if checked is None or checked.values != current_values(kind) or checked.methods != _current_methods(kind):
            try:
                checked = self._check_class(kind)
            except SettingsError as exc:
                return _UnprotectedRoute(application, request, target=kind, problem=str(exc))
        if handler.request is not request or not _STATE.isdisjoint(vars(handler)):
            return _UnprotectedRoute(application, request, target=kind, problem=_explain_state(handler))
        if checked.serves_head and request.method == "HEAD":
            serve_head_by_get(handler)
        if checked.adapt is not None:
            checked.adapt(handler)
        return handler

    def _check_class(self, kind: type[Any]) -> _CheckedClass:
        """Check a handler class, and remember it as it is now.

        Raises:
            SettingsError: It is neither protected nor public, or does not enforce what it states.
        """
        if (problem := find_problem(kind, {})) is not None:
            raise SettingsError([problem])
        self._check(kind)
        self._checked[kind] = checked = _CheckedClass(
            values=copy_values(kind),
            methods=_current_methods(kind),
            adapt=find_adaptation(kind),
            serves_head=kind._serves_head(by_default=self._head_as_get),  # noqa: SLF001  # of our class
        )
        return checked


def _current_methods(kind: type[BearerAuthMixin]) -> tuple[object, ...]:
    prepare, execute = kind.prepare, kind._execute  # noqa: SLF001  # Tornado's, which handlers override
    return prepare, type(prepare), execute, type(execute)


def _explain_state(handler: tornado.web.RequestHandler) -> str:
    if names := CLASS_ONLY & vars(handler).keys():
        return f"whose instances set {' and '.join(sorted(names))}, which has no effect; set it in the class body"
    return "of which an instance serves two requests, or replaces its prepare or _execute"
