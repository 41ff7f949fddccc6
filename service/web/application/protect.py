"""Protects the handlers of an application that is not ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tornado.web
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate

from service.web.application.application import ResourceServerApplication
from service.web.endpoints.okta_guide import NotFound
from service.web.handler.context import ResourceServerContext
from service.web.routing.audit import mounted_routes

_GUARD = "resource_server_guard"
"""The setting of a protected application that holds the object returned by ``protect``."""


def protect_application(
    application: tornado.web.Application,
    service: ResourceServerApplication,
    *,
    tornado_settings: Mapping[str, Any] | None = None,
) -> None:
    """Give the handlers of another application the context of ``service``.

    Args:
        tornado_settings: Settings that replace those of the application.

    Raises:
        SettingsError: A route is neither protected nor public, or requires a validation that is not configured; the
            application is unchanged then.
    """
    # Tornado's default handler would send HTML for unknown paths; ours sends JSON.
    settings = application.settings | dict(tornado_settings or {})
    default = settings.get("default_handler_class") or NotFound
    service.check(mounted_routes(application, default=default))
    application.add_handlers = functools.partial(_add_checked, service, application.add_handlers)  # type: ignore[method-assign]  # the class is not ours
    application.log_request = functools.partial(_log_and_report, service, application.log_request)  # type: ignore[method-assign]  # as above
    application.settings |= settings | {
        "default_handler_class": default,
        ResourceServerContext.SETTING: service.settings[ResourceServerContext.SETTING],
        _GUARD: service,
    }
    service.protected = application
    for name, value in service.limits.websocket_settings.items():
        application.settings.setdefault(name, value)
    service.dispatcher.install(application)


def find_guard(application: tornado.web.Application) -> ResourceServerApplication | None:
    """Return the application that validates the tokens of this one: itself, or the result of ``protect``; or None."""
    if isinstance(application, ResourceServerApplication):
        return application
    guard: ResourceServerApplication | None = application.settings.get(_GUARD)
    return guard


def tracked(service: ResourceServerApplication) -> HTTPServerConnectionDelegate:
    """Return the protected application as a server should call it, so that ``service`` knows the requests in flight."""
    return service if service.protected is service else _TrackedApplication(service)


class _TrackedApplication(HTTPServerConnectionDelegate):
    """Delegates to an application that is not ours."""

    def __init__(self, service: ResourceServerApplication) -> None:
        self._service = service

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        return self._service.track(self._service.protected.start_request(server_conn, request_conn), request_conn)


def _log_and_report(
    service: ResourceServerApplication,
    log_request: Callable[[tornado.web.RequestHandler], None],
    handler: tornado.web.RequestHandler,
) -> None:
    """Let an application log a response, and report it to the observers."""
    log_request(handler)
    if service.observers.receivers:
        status = tornado.web.RequestHandler.get_status(handler)  # a handler may override it
        service.report_response(handler, status=status, seconds=handler.request.request_time())


def _add_checked(
    service: ResourceServerApplication,
    add_handlers: Callable[[str, list[Any]], None],
    host_pattern: str,
    host_handlers: Sequence[Any],
) -> None:
    """Check more routes of a protected application, then mount them."""
    service.check_routes_to_add(host_handlers)
    add_handlers(host_pattern, list(host_handlers))
