"""Gives applications that are not ours what the handlers of a protected one need, and keeps them protected."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tornado.web
from tornado.routing import Rule

from service.errors import SettingsError
from service.instrumentation import Observers
from service.web.application.dispatch import Dispatcher
from service.web.application.route_template import find_route, forget_routes
from service.web.application.spans import end_span
from service.web.endpoints.okta_guide import NotFound
from service.web.handler.context import ResourceServerContext
from service.web.handler.mixin import BearerAuthMixin
from service.web.routing.audit import MountedRoute, mounted_routes
from service.web.routing.rewrite import RouteWrapper, nested_applications

_DEFAULT = "default_handler_class"


@dataclass(frozen=True, kw_only=True, slots=True)
class Protection:
    """Protects applications with the context of one resource server.

    Args:
        check: Raises SettingsError unless the context can protect these routes.
        dispatcher: Creates the handlers of each request.
        context: The objects that the handlers share.
        defaults: Tornado's settings for an application that does not set them.
        observers: Receive the responses.
        wrapper: Protects handlers that are not protected yet; None to require that all are.
    """

    check: Callable[[Iterable[MountedRoute]], None]
    dispatcher: Dispatcher
    context: ResourceServerContext
    defaults: Mapping[str, Any]
    observers: Observers
    wrapper: RouteWrapper | None = None

    def protect(self, application: tornado.web.Application) -> None:
        """Protect an application and those nested in it.

        Raises:
            SettingsError: A route is neither protected nor public, or requires a validation that is not configured;
                the application is unchanged then.
        """
        applications = _with_nested(application)
        with self._default_handlers(applications), self._wrapped(applications, is_complete=True):
            self._check(application)
        for each in applications:
            self._install(each)

    def check_routes_to_add(self, host_handlers: Sequence[Any]) -> None:
        """Check routes before they are mounted.

        Raises:
            SettingsError: As for :meth:`protect`.
        """
        # Tornado ties a rule that it mounts to the application, so it receives copies here.
        copies = [copy.copy(route) if isinstance(route, Rule) else route for route in host_handlers]
        application = tornado.web.Application(copies)
        applications = _with_nested(application)
        with self._default_handlers(applications), self._wrapped(applications, is_complete=False):
            self._check(application)

    def protect_nested(self, application: tornado.web.Application) -> None:
        """Protect the applications that have been nested in a protected one, and whose routes were checked."""
        for each in _with_nested(application)[1:]:
            self._install(each)

    def _check(self, application: tornado.web.Application) -> None:
        wraps_found = self.wrapper is not None and self.wrapper.finds_any
        self.check(mounted_routes(application, default=application.settings[_DEFAULT], wraps_found=wraps_found))

    def _wrapped(
        self, applications: Iterable[tornado.web.Application], *, is_complete: bool
    ) -> contextlib.AbstractContextManager[None]:
        if self.wrapper is None:
            return contextlib.nullcontext()
        return self.wrapper.applied(applications, is_complete=is_complete)

    @contextlib.contextmanager
    def _default_handlers(self, applications: Iterable[tornado.web.Application]) -> Iterator[None]:
        """Set the handler of unknown paths, and restore it if the block fails."""
        originals = [(each.settings, dict(each.settings)) for each in applications]
        try:
            for settings, _ in originals:
                settings[_DEFAULT] = self._default_handler(settings.get(_DEFAULT))
            yield
        except BaseException:
            for settings, original in originals:
                settings.clear()
                settings.update(original)
            raise

    def _default_handler(self, own: type[tornado.web.RequestHandler] | None) -> type[tornado.web.RequestHandler]:
        if own is None:
            return NotFound  # Tornado's would send HTML
        if self.wrapper is None:
            return own
        try:
            return self.wrapper.find(own)
        except SettingsError as exc:
            name = f"{own.__module__}.{own.__qualname__}"
            raise SettingsError([f"routes: (anything else) leads to {name}: {each}" for each in exc.problems]) from exc

    def _install(self, application: tornado.web.Application) -> None:
        settings = application.settings
        settings[_DEFAULT] = settings.get(_DEFAULT) or NotFound
        settings[ResourceServerContext.SETTING] = self.context
        for name, value in self.defaults.items():
            settings.setdefault(name, value)
        add_handlers = functools.partial(self._add_handlers, application, application.add_handlers)
        application.add_handlers = add_handlers  # type: ignore[method-assign]  # the class is not ours
        log_request = functools.partial(_log_and_report, self.observers, application.log_request)
        application.log_request = log_request  # type: ignore[method-assign]  # as above
        self.dispatcher.install(application, wrapper=self.wrapper)

    def _add_handlers(
        self,
        application: tornado.web.Application,
        add_handlers: Callable[[str, list[Any]], None],
        host_pattern: str,
        host_handlers: Sequence[Any],
    ) -> None:
        """Check more routes of a protected application, then mount them."""
        self.check_routes_to_add(host_handlers)
        add_handlers(host_pattern, list(host_handlers))
        forget_routes()
        with self._wrapped(_with_nested(application), is_complete=False):
            self.protect_nested(application)


def report_response(observers: Observers, handler: tornado.web.RequestHandler, *, status: int, seconds: float) -> None:
    """Report a response to the observers, with the reason if its token was rejected."""
    reason = handler.rejection_reason if isinstance(handler, BearerAuthMixin) else None
    request = handler.request
    observers.on_response(
        method=request.method or "",
        status=status,
        seconds=seconds,
        reason=reason,
        route=find_route(handler),
        scheme=request.protocol,
    )


def _log_and_report(
    observers: Observers,
    log_request: Callable[[tornado.web.RequestHandler], None],
    handler: tornado.web.RequestHandler,
) -> None:
    """Let an application log a response, end its span, and report it."""
    log_request(handler)
    end_span(handler)
    if observers.receivers:
        status = tornado.web.RequestHandler.get_status(handler)  # a handler may override it
        report_response(observers, handler, status=status, seconds=handler.request.request_time())


def _with_nested(application: tornado.web.Application) -> list[tornado.web.Application]:
    """Return an application and the unprotected ones nested in it; each once, even if several rules lead to it."""
    return list(dict.fromkeys([application, *nested_applications(application.default_router)]))
