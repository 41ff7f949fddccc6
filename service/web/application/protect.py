"""Protects the handlers of an application that is not ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import tornado.web
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate

from service.errors import SettingsError
from service.web.application.application import ResourceServerApplication
from service.web.handler.context import ResourceServerContext
from service.web.routing.rewrite import RouteWrapper, Wrap

_GUARD = "resource_server_guard"
"""The setting of a protected application that holds the object returned by ``protect``."""


def protect_application(
    application: tornado.web.Application,
    service: ResourceServerApplication,
    *,
    wrap: Wrap | None = None,
    tornado_settings: Mapping[str, Any] | None = None,
) -> None:
    """Give the handlers of another application, and of those nested in it, the context of ``service``.

    Args:
        wrap: Protects the handlers that are not protected yet; None to require that all are.
        tornado_settings: Settings that replace those of the application.

    Raises:
        SettingsError: A route is neither protected nor public, or requires a validation that is not configured, or the
            application is protected already; the application is unchanged then.
    """
    if not isinstance(application, tornado.web.Application):
        raise SettingsError([f"protect: was {application!r}; expected a tornado.web.Application"])
    if ResourceServerContext.SETTING in application.settings:
        raise SettingsError(
            ["protect: the application is protected already; call protect once, and mount later routes by add_handlers"]
        )
    wrapper = None if wrap is None else RouteWrapper(wrap)
    original = dict(application.settings)
    application.settings.update(tornado_settings or {})
    try:
        replace(service.protection, wrapper=wrapper).protect(application)
    except BaseException:
        application.settings.clear()
        application.settings.update(original)
        raise
    application.settings[_GUARD] = service
    service.protected = application


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
