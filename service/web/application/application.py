"""The Tornado application: audited when it is made, and aware of the requests in flight when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import tornado.web
from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from service.caches.deny_list import Denials
from service.errors import IssuerUnavailable
from service.instrumentation import Observer, Unobserved
from service.web.application import access_log
from service.web.endpoints.docs import Documentation
from service.web.endpoints.okta_guide import NotFound
from service.web.handler.mixin import BearerAuthMixin, Protection
from service.web.routing.audit import Mounted, check_routes, mounted

__all__ = ["Service", "adopt"]


class Service(tornado.web.Application):
    """An application in which every route is protected, or says that it is public.

    Args:
        routes: Tornado's own tuples, URLSpecs or rules.
        protection: What the handlers share.
        denials: Who is turned away whatever the issuer says, for whoever administers the service.
        documentation: Is told what is mounted, so that it can describe it.
        observer: Is told of each answer.
        settings: Tornado's own.

    Raises:
        SettingsError: A route leads to something that nobody judges, or that is judged in a way that is not set up.
    """

    def __init__(
        self,
        routes: Sequence[Any],
        *,
        protection: Protection,
        denials: Denials,
        documentation: Documentation | None = None,
        observer: Observer | None = None,
        **settings: Any,
    ) -> None:
        settings = {"default_handler_class": NotFound} | settings | {Protection.SETTING: protection}
        super().__init__(list(routes), **settings)
        self.denials = denials
        self._authenticators = protection.authenticators
        self._authenticators.judging_by("")
        self._documentation = documentation
        self._observer = observer or Unobserved()
        found = list(mounted(self, default=self.settings["default_handler_class"]))
        self.check(found)
        self._describe(found)
        self._in_flight: set[HTTPConnection] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._give_back: list[Callable[[], Awaitable[None] | None]] = []
        self.at_end(protection.authenticators.close)
        self._watch = protection.watch
        self.at_end(self._watch.close)

    def add_handlers(self, host_pattern: str, host_handlers: Sequence[Any]) -> None:
        """Mount more routes, under the same condition.

        Raises:
            SettingsError: A route leads to something that nobody judges, or in a way that is not set up.
        """
        self.check_more(host_handlers)
        super().add_handlers(host_pattern, list(host_handlers))
        self._describe(mounted(self, default=self.settings["default_handler_class"]))

    def check(self, found: Iterable[Mounted]) -> None:
        """Make sure that everything mounted is judged, in ways that are set up.

        Raises:
            SettingsError: A route leads to something that nobody judges, or in a way that is not set up.
        """
        for handler in check_routes(found):
            for validation in handler.policy.validations:
                self._authenticators.judging_by(validation)

    def check_more(self, host_handlers: Sequence[Any]) -> None:
        """Make sure of the same for routes that are about to be mounted.

        Raises:
            SettingsError: A route leads to something that nobody judges, or in a way that is not set up.
        """
        self.check(mounted(tornado.web.Application(list(host_handlers)), default=NotFound))

    def _describe(self, found: Iterable[Mounted]) -> None:
        if self._documentation is not None:
            self._documentation.read(found)

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Watch a request that comes in, until its answer is whole."""
        return _Watched(
            super().start_request(server_conn, request_conn),
            came=lambda: self._came(request_conn),
            gone=lambda: self._gone(request_conn),
        )

    def log_request(self, handler: tornado.web.RequestHandler) -> None:
        """Write the access log, and tell the observer."""
        access_log.log_request(handler)
        self._observer.answered(
            method=handler.request.method or "",
            status=handler.get_status(),
            seconds=handler.request.request_time(),
            reason=handler.refused_for if isinstance(handler, BearerAuthMixin) else None,
        )

    def at_end(self, give_back: Callable[[], Awaitable[None] | None]) -> None:
        """Have something given back when the service ends; what was noted first goes first."""
        self._give_back.append(give_back)

    async def finish_requests(self, *, within: float) -> bool:
        """Return whether every request in flight was answered within so many seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), within)
        return self._idle.is_set()

    def end_open(self) -> None:
        """Have WebSockets and streams come to their end, which else would last as long as their tokens."""
        self._watch.stop()

    async def warm_up(self) -> None:
        """Fetch what judging a token takes, so that no request has to wait for it; an outage is no reason to stop."""
        with contextlib.suppress(IssuerUnavailable):
            await self._authenticators.ready()

    async def close(self) -> None:
        """Give back what the application holds: fetches under way, connections to issuers."""
        while self._give_back:
            result = self._give_back.pop(0)()
            if result is not None:
                await result

    def _came(self, request: HTTPConnection) -> None:
        """Note a request, and its end, whoever answers it: a handler may pass it on to another server."""
        self._in_flight.add(request)
        self._idle.clear()
        finish = request.finish

        def finish_and_note() -> None:
            del request.finish  # the method of its class again: nothing is left that refers to itself
            try:
                finish()
            finally:
                self._gone(request)

        request.finish = finish_and_note  # type: ignore[method-assign]  # Tornado tells nobody else

    def _gone(self, request: HTTPConnection) -> None:
        self._in_flight.discard(request)
        if not self._in_flight:
            self._idle.set()


def adopt(application: tornado.web.Application, service: Service) -> None:
    """Give the handlers of another application the protection of this one.

    Raises:
        SettingsError: A route of it leads to something that nobody judges, or in a way that is not set up; nothing is
            changed then.
    """
    # Without a handler for them, Tornado answers unknown paths as pages; ours gives the JSON that the others give.
    default = application.settings.get("default_handler_class") or NotFound
    service.check(mounted(application, default=default))
    application.add_handlers = functools.partial(_add_checked, service, application.add_handlers)  # type: ignore[method-assign]  # the class is theirs
    application.settings |= {
        "default_handler_class": default,
        Protection.SETTING: service.settings[Protection.SETTING],
    }


def _add_checked(
    service: Service,
    add_handlers: Callable[[str, list[Any]], None],
    host_pattern: str,
    host_handlers: Sequence[Any],
) -> None:
    """Mount more routes of an application that was adopted, under the condition that held for the first."""
    service.check_more(host_handlers)
    add_handlers(host_pattern, list(host_handlers))


class _Watched(HTTPMessageDelegate):
    """Passes a request on, and notices when its sender hangs up before it is whole; then no handler ever runs."""

    def __init__(self, delegate: HTTPMessageDelegate, *, came: Callable[[], None], gone: Callable[[], None]) -> None:
        self._delegate = delegate
        self._came = came
        self._gone = gone

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._came()
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()
        self._gone()
