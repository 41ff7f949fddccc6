"""Builds the application from its parts; the only module that imports all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tornado.web

from service.clock import Clock
from service.guard import Guard
from service.instrumentation import Instrumentation, Observers
from service.issuers.client import JSONClient
from service.settings.profiles.log import log_profiles
from service.settings.program import Settings
from service.web.application.access_log import AccessLog, log_response
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import protect_application
from service.web.application.tornado_settings import check_settings_of_existing, check_settings_of_new
from service.web.endpoints import forward_auth, health, okta_guide, resource_metadata
from service.web.endpoints.docs import Documentation
from service.web.openapi.accepted import AcceptedTokens
from service.web.routing.audit import mounted_routes
from service.web.routing.rewrite import Wrap


def make_app(
    settings: Settings,
    *,
    routes: Sequence[Any] | None = None,
    client: JSONClient | None = None,
    clock: Clock | None = None,
    instrumentation: Instrumentation | None = None,
    access_log: AccessLog = log_response,
    tornado_settings: Mapping[str, Any] | None = None,
) -> ResourceServerApplication:
    """Return the application that serves and protects these routes.

    Args:
        routes: Tornado's tuples, ``URLSpec`` objects or rules; by default, the endpoints of Okta's guide.
        client: Sends requests to issuers, and is closed by the caller; by default, one is made from the settings.
        clock: The clock of the system by default; in a test, ``fake_issuer.clock``.
        instrumentation: Receives responses, requests to issuers, and errors of the shared cache.
        access_log: Called with the fields of each response, if the logger ``service.access`` has the level INFO; by
            default, they become a record of this logger.
        tornado_settings: Settings of the Tornado application, such as ``cookie_secret`` or ``debug``.

    Raises:
        SettingsError: A route is neither protected nor public, the settings name an unknown kind of validation, or a
            Tornado setting has no effect here.
    """
    check_settings_of_new(tornado_settings or {})
    observers = Observers(instrumentation)
    guard = Guard(settings, client=client, clock=clock, instrumentation=observers)
    documentation = make_documentation(settings)
    service = ResourceServerApplication(
        all_routes(settings, routes, documentation=documentation),
        context=guard.context,
        deny_list=guard.deny_list,
        documentation=documentation,
        observers=observers,
        access_log=access_log,
        limits=settings,
        tornado_settings=tornado_settings,
    )
    service.add_cleanup(guard.close)
    log_profiles(settings.trusted_issuers)  # last, so that an error at start is the only line
    return service


def all_routes(settings: Settings, routes: Sequence[Any] | None, *, documentation: Documentation | None) -> list[Any]:
    """Return these routes, or the endpoints of Okta's guide if None, together with the routes of the service itself."""
    documentation_routes = documentation.routes if documentation is not None else []
    api_routes = okta_guide.ROUTES if routes is None else routes
    gates = settings.scopes_of_gates
    forward_auth_routes = forward_auth.make_routes(gates, others=api_routes) if settings.forward_auth else []
    return [
        *health.ROUTES,
        *resource_metadata.ROUTES,
        *documentation_routes,
        *forward_auth_routes,
        *api_routes,
    ]


def make_documentation(settings: Settings, *, by_default: bool = True) -> Documentation | None:
    """Return the OpenAPI documentation of an application, or None if it is disabled.

    Args:
        by_default: Whether it is enabled if the setting ``docs`` is not set.
    """
    is_enabled = by_default if settings.docs is None else settings.docs
    if not is_enabled:
        return None
    return Documentation(
        title=settings.realm,
        public_url=settings.public_url,
        tokens=AcceptedTokens.of(settings),
        client_id=settings.docs_client_id or "",
    )


def protect(
    application: tornado.web.Application,
    settings: Settings,
    *,
    wrap: Wrap | None = None,
    client: JSONClient | None = None,
    clock: Clock | None = None,
    instrumentation: Instrumentation | None = None,
    tornado_settings: Mapping[str, Any] | None = None,
) -> ResourceServerApplication:
    """Protect the handlers of an existing application; call this after all routes are mounted.

    The routes are documented only if the setting ``docs`` is true, because the list of routes may be confidential.

    Args:
        wrap: Protects the handlers that are not protected yet, such as those of other packages: ``protected(…)`` for
            all of them, a mapping from patterns to ``protected(…)`` or ``public()``, or a function that returns one of
            these for a handler class and a pattern. Routes that are added later are wrapped in the same way.
        client: Sends requests to issuers, and is closed by the caller; by default, one is made from the settings.
        clock: The clock of the system by default; in a test, ``fake_issuer.clock``.
        instrumentation: Receives responses, requests to issuers, and errors of the shared cache.
        tornado_settings: Settings that replace those of the application, such as ``cookie_secret``.

    Returns:
        The application that validates the tokens; await its ``close()`` at the end, and optionally its ``warm_up()``
        before serving.

    Raises:
        SettingsError: A route is neither protected nor public, a pattern of ``wrap`` matches no route, a route matches
            no pattern, the application is protected already, the settings name an unknown kind of validation, or a
            Tornado setting has no effect here.
    """
    check_settings_of_existing(tornado_settings or {})
    service = make_app(settings, routes=(), client=client, clock=clock, instrumentation=instrumentation)
    protect_application(application, service, wrap=wrap, tornado_settings=tornado_settings)
    application.add_handlers(r".*", resource_metadata.ROUTES)
    if settings.forward_auth:
        # The other paths below /auth may be the application's own.
        application.add_handlers(r".*", [*forward_auth.ROUTES, *forward_auth.gate_routes(settings.scopes_of_gates)])
    if (documentation := make_documentation(settings, by_default=False)) is not None:
        application.add_handlers(r".*", documentation.routes)
        documentation.read(mounted_routes(application, default=None))
    return service
