"""Protects the handlers of an application that is not ours."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tornado.web

from service.web.application.application import ResourceServerApplication
from service.web.endpoints.okta_guide import NotFound
from service.web.handler.context import ResourceServerContext
from service.web.routing.audit import mounted_routes


def protect_application(application: tornado.web.Application, service: ResourceServerApplication) -> None:
    """Give the handlers of another application the context of ``service``.

    Raises:
        SettingsError: A route is neither protected nor public, or requires a validation that is not configured; the
            application is unchanged then.
    """
    # Tornado's default handler would send HTML for unknown paths; ours sends JSON.
    default = application.settings.get("default_handler_class") or NotFound
    service.check(mounted_routes(application, default=default))
    application.add_handlers = functools.partial(_add_checked, service, application.add_handlers)  # type: ignore[method-assign]  # the class is not ours
    application.settings |= {
        "default_handler_class": default,
        ResourceServerContext.SETTING: service.settings[ResourceServerContext.SETTING],
    }
    for name, value in service.limits.websocket_settings.items():
        application.settings.setdefault(name, value)
    service.dispatcher.install(application)


def _add_checked(
    service: ResourceServerApplication,
    add_handlers: Callable[[str, list[Any]], None],
    host_pattern: str,
    host_handlers: Sequence[Any],
) -> None:
    """Check more routes of a protected application, then mount them."""
    service.check_routes_to_add(host_handlers)
    add_handlers(host_pattern, list(host_handlers))
