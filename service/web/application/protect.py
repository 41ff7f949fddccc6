"""Protects the handlers of an application that is not ours."""

from __future__ import annotations

from dataclasses import replace

import tornado.web

from service.errors import SettingsError
from service.web.application.application import ResourceServerApplication
from service.web.handler.context import ResourceServerContext
from service.web.routing.rewrite import RouteWrapper, Wrap


def protect_application(
    application: tornado.web.Application, service: ResourceServerApplication, *, wrap: Wrap | None = None
) -> None:
    """Give the handlers of another application, and of those nested in it, the context of ``service``.

    Args:
        wrap: Protects the handlers that are not protected yet; None to require that all are.

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
    replace(service.protection, wrapper=wrapper).protect(application)
