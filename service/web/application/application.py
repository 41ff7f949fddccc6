"""The Tornado application: checks its routes when it is created, and tracks requests until it is closed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

import tornado.web
from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from service.caches.deny_list import DenyList
from service.errors import IssuerUnavailable
from service.instrumentation import Observers
from service.settings.groups.limits import LimitSettings
from service.web.application.access_log import AccessLog, access_logger, log_response, write_access_log
from service.web.application.dispatch import Dispatcher
from service.web.application.protection import Protection, report_response
from service.web.application.spans import end_span
from service.web.connections.server import LimitedHTTPServer
from service.web.credentials.proxy_headers import check_proxies_are_named
from service.web.endpoints.docs import Documentation
from service.web.endpoints.okta_guide import NotFound
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.audit import MountedRoute, check_routes, mounted_routes


class ResourceServerApplication(tornado.web.Application):
    """An application in which every route is protected or marked public.

    Args:
        routes: Tornado's tuples, URLSpecs or rules.
        context: The objects that the handlers share.
        deny_list: The users, clients and tokens that are rejected although the issuer accepts them.
        documentation: The document to regenerate when routes are added, or None.
        observers: Receive each response.
        access_log: Receives the fields of each response.
        limits: What one client can use; also applied by :meth:`listen`.
        tornado_settings: Tornado's settings, and the application's own.

    Attributes:
        observers: Receive each response, and can be added at any time.
        health: Whether this process can validate tokens.
        monitor: The tokens of WebSockets and streams.
        protected: The application whose requests are authenticated: this one, or the one passed to ``protect``.

    Raises:
        SettingsError: A route is neither protected nor public, or requires a validation that is not configured.
    """

    def __init__(
        self,
        routes: Sequence[Any],
        *,
        context: ResourceServerContext,
        deny_list: DenyList,
        documentation: Documentation | None = None,
        observers: Observers | None = None,
        access_log: AccessLog = log_response,
        limits: LimitSettings | None = None,
        tornado_settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.limits = limits or LimitSettings()
        self.protected: tornado.web.Application = self
        defaults = {"default_handler_class": NotFound} | self.limits.websocket_settings
        settings = defaults | dict(tornado_settings or {}) | {ResourceServerContext.SETTING: context}
        super().__init__(list(routes), **settings)
        self.deny_list = deny_list
        self.authenticators = context.authenticators
        self.authenticators.for_validation("")
        self._documentation = documentation
        self.observers = observers or Observers()
        self._has_trusted_proxies = context.trusted_proxies is not None
        self._access_log = access_log
        self._logs_principal = context.log_principal
        self._tracing = context.tracing
        dispatcher = Dispatcher(
            self._check_validations,
            head_as_get=context.head_as_get,
            trusted_proxies=context.trusted_proxies,
            tracing=context.tracing,
        )
        dispatcher.install(self)
        self.protection = Protection(
            check=self.check,
            dispatcher=dispatcher,
            context=context,
            defaults=self.limits.websocket_settings,
            observers=self.observers,
        )
        mounted = list(mounted_routes(self, default=self.settings["default_handler_class"]))
        self.check(mounted)
        self.protection.protect_nested(self)
        self._update_documentation(mounted)
        self._in_flight: set[HTTPConnection] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._cleanups: list[Callable[[], Awaitable[None] | None]] = []
        self.monitor = context.monitor
        self.health = context.health

    def listen(self, port: int, address: str | None = None, **kwargs: Any) -> HTTPServer:
        """Serve on a port, with the limits of the settings; the arguments are those of Tornado's method."""
        names = ("family", "backlog", "flags", "reuse_port")
        of_socket = {"backlog": self.limits.backlog} | {name: kwargs.pop(name) for name in names if name in kwargs}
        server = LimitedHTTPServer(self, limits=self.limits, **kwargs)
        server.listen(port, address, **of_socket)
        return server

    def add_handlers(self, host_pattern: str, host_handlers: Sequence[Any]) -> None:
        """Mount more routes.

        Raises:
            SettingsError: A route is neither protected nor public, or requires a validation that is not configured.
        """
        self.protection.check_routes_to_add(host_handlers)
        super().add_handlers(host_pattern, list(host_handlers))
        self.protection.protect_nested(self)
        self._update_documentation(mounted_routes(self, default=self.settings["default_handler_class"]))

    def check(self, routes: Iterable[MountedRoute]) -> None:
        """Check mounted routes.

        Raises:
            SettingsError: A route is neither protected nor public, or requires a validation that is not configured.
        """
        for handler in check_routes(routes):
            self._check_validations(handler)

    def _check_validations(self, handler: type[BearerAuthMixin]) -> None:
        check_proxies_are_named(handler.sources, has_trusted_proxies=self._has_trusted_proxies)
        for validation in handler.policy.validations:
            self.authenticators.for_validation(validation)

    def _update_documentation(self, routes: Iterable[MountedRoute]) -> None:
        if self._documentation is not None:
            self._documentation.read(routes)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Track a request until its response is complete, and limit its body if its server has no limit."""
        if isinstance(request_conn, HTTP1Connection):
            if request_conn.params.max_body_size is None:
                request_conn.set_max_body_size(self.limits.max_body_size)
            if request_conn.params.body_timeout is None:
                request_conn.set_body_timeout(self.limits.body_timeout)
        return self.track(super().start_request(server_conn, request_conn), request_conn)

    def track(self, delegate: HTTPMessageDelegate, request: HTTPConnection) -> HTTPMessageDelegate:
        """Return a delegate that tracks the request of another one until its response is complete."""
        return _TrackedRequest(delegate, application=self, request=request)

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Write one line of the access log, without the query, which may contain a token, and report the response."""
        is_logged = access_logger.isEnabledFor(logging.INFO)
        if is_logged or self.observers.receivers:
            status = tornado.web.RequestHandler.get_status(handler)  # a handler may override it
            seconds = handler.request.request_time()
            if is_logged:
                write_access_log(
                    self._access_log, handler, status=status, seconds=seconds, has_principal=self._logs_principal
                )
            if self.observers.receivers:
                report_response(self.observers, handler, status=status, seconds=seconds)
        if self._tracing is not None:
            end_span(handler)

    def add_cleanup(self, cleanup: Callable[[], Awaitable[None] | None]) -> None:
        """Add a function for ``close`` to call; functions are called in the order in which they were added."""
        self._cleanups.append(cleanup)

    async def finish_requests(self, *, within: float) -> bool:
        """Wait for the requests in flight; return whether all finished within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        return self._idle.is_set()

    def close_long_lived(self) -> None:
        """Close WebSockets and streams, which otherwise stay open until their tokens end."""
        self.monitor.stop()

    async def warm_up(self) -> None:
        """Fetch the deny list and the issuers' keys, so that no request waits; an unavailable issuer is ignored."""
        with contextlib.suppress(IssuerUnavailable):
            await asyncio.gather(self.deny_list.refresh(), self.authenticators.check_ready())

    async def close(self) -> None:
        """Release the resources of the application: pending fetches, connections to issuers, caches."""
        while self._cleanups:
            result = self._cleanups.pop(0)()
            if result is not None:
                await result

    def request_started(self, request: HTTPConnection) -> None:
        """Track a request until its connection is finished, even if a handler detached it from Tornado."""
        self._in_flight.add(request)
        self._idle.clear()
        finish = functools.partial(self._finish, request, request.finish)
        request.finish = finish  # type: ignore[method-assign]  # Tornado has no callback for it

    def _finish(self, request: HTTPConnection, finish: Callable[[], None]) -> None:
        del request.finish  # restores the method of the class and breaks a reference cycle
        try:
            finish()
        finally:
            self.request_finished(request)

    def request_finished(self, request: HTTPConnection) -> None:
        """End the tracking of a request."""
        self._in_flight.discard(request)
        if not self._in_flight:
            self._idle.set()


class _TrackedRequest(HTTPMessageDelegate):
    """Delegates a request, and ends its tracking if the client disconnects before the request is complete."""

    def __init__(
        self, delegate: HTTPMessageDelegate, *, application: ResourceServerApplication, request: HTTPConnection
    ) -> None:
        self._delegate = delegate
        self._application = application
        self._request = request

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._application.request_started(self._request)
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
        self._application.request_finished(self._request)
