"""The Tornado application: audited when it is made, and aware of the requests in flight when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import tornado.web
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from service.caches.deny_list import DenyList
from service.errors import IssuerUnavailable
from service.instrumentation import Instrumentation
from service.web.application import access_log
from service.web.endpoints.docs import Documentation
from service.web.endpoints.okta_guide import NotFound
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.audit import MountedRoute, check_routes, mounted_routes


class ResourceServerApplication(tornado.web.Application):
    """An application in which every route is protected, or says that it is public.

    Args:
        routes: Tornado's own tuples, URLSpecs or rules.
        context: What the handlers share.
        deny_list: Who is turned away whatever the issuer says, for whoever administers the service.
        documentation: Is told what is mounted, so that it can describe it.
        instrumentation: Is told of each answer.
        settings: Tornado's own.

    Raises:
        SettingsError: A route leads to something that nobody judges, or that is judged in a way that is not set up.
    """

    def __init__(
        self,
        routes: Sequence[Any],
        *,
        context: ResourceServerContext,
        deny_list: DenyList,
        documentation: Documentation | None = None,
        instrumentation: Instrumentation | None = None,
        **settings: Any,
    ) -> None:
        settings = {"default_handler_class": NotFound} | settings | {ResourceServerContext.SETTING: context}
        super().__init__(list(routes), **settings)
        self.deny_list = deny_list
        self._authenticators = context.authenticators
        self._authenticators.for_validation("")
        self._documentation = documentation
        self._instrumentation = instrumentation
        found = list(mounted_routes(self, default=self.settings["default_handler_class"]))
        self.check(found)
        self._update_documentation(found)
        self._in_flight: set[HTTPConnection] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._cleanups: list[Callable[[], Awaitable[None] | None]] = []
        self.add_cleanup(context.authenticators.close)
        self._monitor = context.monitor
        self.add_cleanup(self._monitor.close)

    def add_handlers(self, host_pattern: str, host_handlers: Sequence[Any]) -> None:
        """Mount more routes, under the same condition.

        Raises:
            SettingsError: A route leads to something that nobody judges, or in a way that is not set up.
        """
        self.check_routes_to_add(host_handlers)
        super().add_handlers(host_pattern, list(host_handlers))
        self._update_documentation(mounted_routes(self, default=self.settings["default_handler_class"]))

    def check(self, found: Iterable[MountedRoute]) -> None:
        """Make sure that everything mounted is judged, in ways that are set up.

        Raises:
            SettingsError: A route leads to something that nobody judges, or in a way that is not set up.
        """
        for handler in check_routes(found):
            for validation in handler.policy.validations:
                self._authenticators.for_validation(validation)

    def check_routes_to_add(self, host_handlers: Sequence[Any]) -> None:
        """Make sure of the same for routes that are about to be mounted.

        Raises:
            SettingsError: A route leads to something that nobody judges, or in a way that is not set up.
        """
        self.check(mounted_routes(tornado.web.Application(list(host_handlers)), default=NotFound))

    def _update_documentation(self, found: Iterable[MountedRoute]) -> None:
        if self._documentation is not None:
            self._documentation.read(found)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Watch a request that comes in, until its answer is whole."""
        return _TrackedRequest(
            super().start_request(server_conn, request_conn),
            started=lambda: self._request_started(request_conn),
            finished=lambda: self._request_finished(request_conn),
        )

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Write the access log, and tell the instrumentation."""
        access_log.log_request(handler)
        if self._instrumentation is None:
            return
        self._instrumentation.on_response(
            method=handler.request.method or "",
            status=handler.get_status(),
            seconds=handler.request.request_time(),
            reason=handler.rejection_reason if isinstance(handler, BearerAuthMixin) else None,
        )

    def add_cleanup(self, cleanup: Callable[[], Awaitable[None] | None]) -> None:
        """Have something given back when the service ends; what was noted first goes first."""
        self._cleanups.append(cleanup)

    async def finish_requests(self, *, within: float) -> bool:
        """Return whether every request in flight was answered within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        return self._idle.is_set()

    def close_long_lived(self) -> None:
        """Have WebSockets and streams come to their end, which else would last as long as their tokens."""
        self._monitor.stop()

    async def warm_up(self) -> None:
        """Fetch what judging a token takes, so that no request has to wait for it; an outage is no reason to stop."""
        with contextlib.suppress(IssuerUnavailable):
            await self._authenticators.check_ready()

    async def close(self) -> None:
        """Give back what the application holds: fetches under way, connections to issuers."""
        while self._cleanups:
            result = self._cleanups.pop(0)()
            if result is not None:
                await result

    def _request_started(self, request: HTTPConnection) -> None:
        """Note a request, and its end, whoever answers it: a handler may pass it on to another server."""
        self._in_flight.add(request)
        self._idle.clear()
        finish = request.finish

        def finish_and_note() -> None:
            del request.finish  # the method of its class again: nothing is left that refers to itself
            try:
                finish()
            finally:
                self._request_finished(request)

        request.finish = finish_and_note  # type: ignore[method-assign]  # Tornado tells nobody else

    def _request_finished(self, request: HTTPConnection) -> None:
        self._in_flight.discard(request)
        if not self._in_flight:
            self._idle.set()


def protect_application(application: tornado.web.Application, service: ResourceServerApplication) -> None:
    """Give the handlers of another application the context of this one.

    Raises:
        SettingsError: A route of it leads to something that nobody judges, or in a way that is not set up; nothing is
            changed then.
    """
    # Without a handler for them, Tornado answers unknown paths as pages; ours gives the JSON that the others give.
    default = application.settings.get("default_handler_class") or NotFound
    service.check(mounted_routes(application, default=default))
    application.add_handlers = functools.partial(_add_checked, service, application.add_handlers)  # type: ignore[method-assign]  # the class is theirs
    application.settings |= {
        "default_handler_class": default,
        ResourceServerContext.SETTING: service.settings[ResourceServerContext.SETTING],
    }


def _add_checked(
    service: ResourceServerApplication,
    add_handlers: Callable[[str, list[Any]], None],
    host_pattern: str,
    host_handlers: Sequence[Any],
) -> None:
    """Mount more routes of an application that was adopted, under the condition that held for the first."""
    service.check_routes_to_add(host_handlers)
    add_handlers(host_pattern, list(host_handlers))


class _TrackedRequest(HTTPMessageDelegate):
    """Passes a request on, and notices when its sender hangs up before it is whole; then no handler ever runs."""

    def __init__(
        self, delegate: HTTPMessageDelegate, *, started: Callable[[], None], finished: Callable[[], None]
    ) -> None:
        self._delegate = delegate
        self._request_started = started
        self._request_finished = finished

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._request_started()
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
        self._request_finished()
