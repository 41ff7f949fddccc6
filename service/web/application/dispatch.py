"""Dispatches each request to a handler that is protected or public, whatever the routes have become since the start."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, cast

import tornado.web
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import _HandlerDelegate

from service.errors import SettingsError
from service.web.application.head import serve_head_by_get
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.handler.adaptation import Adapt, find_adaptation
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.handler.problems import find_problem
from service.web.policy.attribute_names import CLASS_ONLY, STATED
from service.web.policy.attribute_values import copy_values, current_values
from service.web.routing.audit import route_of
from service.web.routing.rewrite import RouteWrapper

_STATE = frozenset(
    {
        "prepare",
        "_execute",
        "_requirements",
        "_principal",
        "_credentials",
        "_is_authentication_done",
    }
)
"""The attributes that no new handler has: they would replace a check, or are left from an earlier request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _CheckedClass:
    """A handler class as it was when it was checked.

    Args:
        values: The values of its attributes.
        methods: Its ``prepare`` and ``_execute``, and their types, since a proxy equals the method that it wraps.
        adapt: Makes authentication run first in a handler; None if the class does so itself.
        serves_head: Whether its ``get`` responds to HEAD.
        forbidden: The attributes that no new handler of the class has.
    """

    values: tuple[object, ...]
    methods: tuple[object, ...]
    adapt: Adapt | None
    serves_head: bool
    forbidden: frozenset[str]


class _ProtectedDelegate(_HandlerDelegate):
    """Creates the handler of one request by :meth:`Dispatcher._create`, in place of calling the handler class."""

    create: Callable[..., tornado.web.RequestHandler]

    def execute(self) -> Awaitable[None] | None:
        """Run the handler of the request."""
        # The class stays readable until now, since an application may look at what its routes have found.
        self.handler_class = functools.partial(self.create, self.handler_class)  # type: ignore[assignment]  # called only
        return super().execute()


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
        trusted_proxies: The proxies whose headers are read; None to read those of no peer.
    """

    def __init__(
        self,
        check: Callable[[type[BearerAuthMixin]], None],
        *,
        head_as_get: bool = False,
        trusted_proxies: TrustedProxies | None = None,
    ) -> None:
        self._check = check
        self._head_as_get = head_as_get
        self._trusted_proxies = trusted_proxies
        self._checked: dict[type, _CheckedClass] = {}
        self._substitutes: dict[tuple[type, type], type[BearerAuthMixin]] = {}

    def install(self, application: tornado.web.Application, *, wrapper: RouteWrapper | None = None) -> None:
        """Replace the two methods by which an application, whose class may not be ours, finds a handler.

        Args:
            wrapper: Protects the handlers that the application finds without a rule; None to respond 500 instead.
        """
        for name, method in (("find_handler", self._find_handler), ("get_handler_delegate", self._get_delegate)):
            original = getattr(application, name)
            setattr(application, name, functools.partial(method, application, original, wrapper))

    def _find_handler(
        self,
        application: tornado.web.Application,
        find_handler: Callable[..., HTTPMessageDelegate],
        wrapper: RouteWrapper | None,
        request: HTTPServerRequest,
        **kwargs: Any,
    ) -> HTTPMessageDelegate:
        """Return the delegate that the routes select, unless it is a function or another object that is not ours."""
        if self._trusted_proxies is not None:
            self._trusted_proxies.read(request)  # before the routes, which may select by host
        delegate = find_handler(request, **kwargs)
        if type(delegate) is _ProtectedDelegate:
            return delegate
        if type(delegate) is _HandlerDelegate and wrapper is not None:
            # It comes from an application that this one holds without a rule.
            context = application.settings[ResourceServerContext.SETTING]
            delegate.application.settings.setdefault(ResourceServerContext.SETTING, context)
            return self._protect(delegate, wrapper)
        return self._protect(_HandlerDelegate(application, request, _UnprotectedRoute, None, None, None), None)

    def _get_delegate(
        self,
        _application: tornado.web.Application,
        get_delegate: Callable[..., Any],
        wrapper: RouteWrapper | None,
        *args: Any,
        **kwargs: Any,
    ) -> HTTPMessageDelegate:
        """Return the delegate of a handler class, which creates the handler by :meth:`_create`."""
        delegate = get_delegate(*args, **kwargs)
        # Another delegate than Tornado's is not known to create its handler there.
        return self._protect(delegate, wrapper) if type(delegate) is _HandlerDelegate else delegate

    def _protect(self, delegate: _HandlerDelegate, wrapper: RouteWrapper | None) -> _ProtectedDelegate:
        protected = cast("_ProtectedDelegate", delegate)
        protected.__class__ = _ProtectedDelegate
        protected.create = functools.partial(self._create, wrapper)
        return protected

    def _create(
        self,
        wrapper: RouteWrapper | None,
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
            if wrapper is None:
                return _UnprotectedRoute(application, request, target=target_class)
            try:
                target_class = wrapper.find(target_class)
            except SettingsError as exc:
                return _UnprotectedRoute(application, request, target=target_class, problem=f"which fails: {exc}")
        try:
            handler: Any = self._instantiate(target_class, application, request, **kwargs)
        except Exception as exc:  # noqa: BLE001  # Tornado would close the connection without a response
            problem = "which cannot be created"
            return _UnprotectedRoute(application, request, target=target_class, problem=problem, cause=exc)
        kind: type[BearerAuthMixin] = type(handler)  # the class may return a handler of another class
        checked = self._checked.get(kind)
        if checked is None or checked.values != current_values(kind) or checked.methods != _current_methods(kind):
            try:
                checked = self._check_class(kind)
            except SettingsError as exc:
                return _UnprotectedRoute(application, request, target=kind, problem=str(exc))
        if handler.request is not request or not checked.forbidden.isdisjoint(vars(handler)):
            return _UnprotectedRoute(application, request, target=kind, problem=_explain_state(handler))
        if checked.serves_head and request.method == "HEAD":
            serve_head_by_get(handler)
        if checked.adapt is not None:
            checked.adapt(handler)
        return handler  # type: ignore[no-any-return]  # whatever the class has returned

    def _instantiate(self, target_class: type[tornado.web.RequestHandler], *args: Any, **kwargs: Any) -> Any:
        handler: Any = target_class(*args, **kwargs)
        requirements: Callable[..., type[BearerAuthMixin]] | None = vars(target_class).get(STATED)
        # A class that was protected before has requirements of its own, which the other object would not have.
        is_foreign = requirements is not None and BearerAuthMixin in target_class.__bases__
        if requirements is None or not is_foreign or isinstance(handler, BearerAuthMixin):
            return handler
        # The `__new__` of a class that others wrote has returned an object of another class.
        key = target_class, type(handler)
        if key not in self._substitutes:
            self._substitutes[key] = requirements(type(handler))
        return self._substitutes[key](*args, **kwargs)

    def _check_class(self, kind: type[BearerAuthMixin]) -> _CheckedClass:
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
            forbidden=_STATE | kind._class_only,  # noqa: SLF001  # the names that only the class may set
        )
        return checked


def _current_methods(kind: type[BearerAuthMixin]) -> tuple[object, ...]:
    prepare, execute = kind.prepare, kind._execute  # noqa: SLF001  # Tornado's, which handlers override
    return prepare, type(prepare), execute, type(execute)


def _explain_state(handler: tornado.web.RequestHandler) -> str:
    if names := CLASS_ONLY & vars(handler).keys():
        return f"whose instances set {' and '.join(sorted(names))}, which has no effect; set it in the class body"
    return "of which an instance serves two requests, or replaces its prepare or _execute"
