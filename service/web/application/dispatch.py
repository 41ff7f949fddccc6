"""Dispatches each request to a handler that is protected or public, whatever the routes have become since the start."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast

import tornado.web
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.web import _HandlerDelegate

from service.errors import SettingsError
from service.tracing.current import CURRENT_REQUEST, CurrentRequest, current_request, in_request, make_request_id
from service.tracing.received import identify
from service.tracing.spans import Tracing
from service.web.application.checked_class import CheckedClass, check_class
from service.web.application.head import serve_head_by_get
from service.web.application.spans import abandon_span, start_span
from service.web.application.unprotected_route import UnprotectedRoute
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.proxy_headers import is_from_trusted_proxy
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.policy.attribute_names import CLASS_ONLY, STATED
from service.web.policy.attribute_values import current_values
from service.web.routing.rewrite import RouteWrapper


class _ProtectedDelegate(_HandlerDelegate):
    """Creates the handler of one request by :meth:`Dispatcher._create`, in place of calling the handler class.

    Everything that the handler does runs in the context of the request.
    """

    create: Callable[..., tornado.web.RequestHandler]
    identify: Callable[[HTTPServerRequest], CurrentRequest]

    def execute(self) -> Awaitable[None] | None:
        """Run the handler of the request."""
        # The class stays readable until now, since an application may look at what its routes have found.
        self.handler_class = functools.partial(self.create, self.handler_class)  # type: ignore[assignment]  # called only
        request = self.request
        vars(request)[CURRENT_REQUEST] = current = self.identify(request)
        if current.span is not None:
            with in_request(current):
                prepared = super().execute()
        else:
            token = current_request.set(current)
            prepared = super().execute()
            current_request.reset(token)
        # The connection would call the method of the handler outside the request.
        request.connection.set_close_callback(self._call_on_connection_close)  # type: ignore[union-attr]  # it is open
        return prepared

    def data_received(self, data: bytes) -> Awaitable[None] | None:
        """Pass on a part of the body."""
        if not self.stream_request_body:
            return super().data_received(data)
        with in_request(vars(self.request).get(CURRENT_REQUEST)):
            result = super().data_received(data)
            return asyncio.ensure_future(result) if inspect.iscoroutine(result) else result

    def on_connection_close(self) -> None:
        """Tell the handler of a streamed body that the client has disconnected."""
        with in_request(vars(self.request).get(CURRENT_REQUEST)):
            super().on_connection_close()
        abandon_span(self.request)

    def _call_on_connection_close(self) -> None:
        with in_request(vars(self.request)[CURRENT_REQUEST]):
            self.handler.on_connection_close()


class Dispatcher:
    """Creates the handlers of the applications in which it is installed.

    Args:
        check: Raises SettingsError unless the application can validate the tokens of a handler class.
        head_as_get: Whether the ``get`` of each handler without a ``head`` responds to HEAD.
        trusted_proxies: The proxies whose headers are read; None to read those of no peer.
        tracing: Creates the spans; None if tracing is off.
    """

    def __init__(
        self,
        check: Callable[[type[BearerAuthMixin]], None],
        *,
        head_as_get: bool = False,
        trusted_proxies: TrustedProxies | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._check = check
        self._tracing = tracing
        self._head_as_get = head_as_get
        self._trusted_proxies = trusted_proxies
        self._checked: dict[type, CheckedClass] = {}
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
        return self._protect(_HandlerDelegate(application, request, UnprotectedRoute, None, None, None), None)

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
        protected.identify = self.identify
        return protected

    def identify(self, request: HTTPServerRequest) -> CurrentRequest:
        """Return what identifies a request: as its trusted proxy says, or a new ID; and its span if tracing is on."""
        current = CurrentRequest()
        headers: dict[str, str] = {}
        if self._trusted_proxies is not None and is_from_trusted_proxy(request):
            current, headers = identify(request.headers)
        if self._tracing is not None:
            start_span(self._tracing, current, request, headers)
        # The ID of the trace serves as that of the request, so that one text finds both.
        current.request_id = current.request_id or current.trace_id or make_request_id()
        return current

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
            The handler that the route leads to, or an :class:`UnprotectedRoute` in its place.
        """
        if not issubclass(target_class, BearerAuthMixin):
            if wrapper is None:
                return UnprotectedRoute(application, request, target=target_class)
            try:
                target_class = wrapper.find(target_class)
            except SettingsError as exc:
                return UnprotectedRoute(application, request, target=target_class, problem=f"which fails: {exc}")
        try:
            handler: Any = self._instantiate(target_class, application, request, **kwargs)
        except Exception as exc:  # noqa: BLE001  # Tornado would close the connection without a response
            problem = "which cannot be created"
            return UnprotectedRoute(application, request, target=target_class, problem=problem, cause=exc)
        kind: type[BearerAuthMixin] = type(handler)  # the class may return a handler of another class
        checked = self._checked.get(kind)
        if checked is None or checked.values != current_values(kind) or checked.methods != _current_methods(kind):
            try:
                checked = check_class(kind, self._check, methods=_current_methods(kind), head_as_get=self._head_as_get)
                self._checked[kind] = checked
            except SettingsError as exc:
                return UnprotectedRoute(application, request, target=kind, problem=str(exc))
        if handler.request is not request or not checked.forbidden.isdisjoint(vars(handler)):
            return UnprotectedRoute(application, request, target=kind, problem=_explain_state(handler))
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


def _current_methods(kind: type[BearerAuthMixin]) -> tuple[object, ...]:
    prepare, execute = kind.prepare, kind._execute  # noqa: SLF001  # Tornado's, which handlers override
    return prepare, type(prepare), execute, type(execute)


def _explain_state(handler: tornado.web.RequestHandler) -> str:
    if names := CLASS_ONLY & vars(handler).keys():
        return f"whose instances set {' and '.join(sorted(names))}, which has no effect; set it in the class body"
    return "of which an instance serves two requests, or replaces its prepare or _execute"
