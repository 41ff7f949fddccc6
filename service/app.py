"""Builds the application from its parts; the only module that imports all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import tornado.web

from service.authenticator import Authenticator, Authenticators
from service.binding import BindingCheck
from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock, SystemClock
from service.instrumentation import Instrumentation
from service.issuers.cache_key import derive_cache_key
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory
from service.web.application.application import AccessLog, ResourceServerApplication, log_response
from service.web.application.protect import protect_application
from service.web.endpoints import forward_auth, health, okta_guide, resource_metadata
from service.web.endpoints.docs import Documentation
from service.web.handler.context import ResourceServerContext
from service.web.handler.token_monitor import TokenMonitor
from service.web.policy.scopes import ScopeMatching
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource
from service.web.routing.audit import mounted_routes


def make_app(
    settings: Settings,
    *,
    routes: Sequence[Any] | None = None,
    client: JSONClient | None = None,
    clock: Clock | None = None,
    instrumentation: Instrumentation | None = None,
    access_log: AccessLog = log_response,
) -> ResourceServerApplication:
    """Return the application that serves and protects these routes.

    Args:
        routes: Tornado's tuples, ``URLSpec`` objects or rules; by default, the endpoints of Okta's guide.
        client: Sends requests to issuers, and is closed by the caller; by default, one is made from the settings.
        clock: The clock of the system by default.
        instrumentation: Receives responses, requests to issuers, and errors of the shared cache.
        access_log: Called with the fields of each response, if the logger ``service.access`` has the level INFO; by
            default, they become a record of this logger.

    Raises:
        SettingsError: A route is neither protected nor public, or the settings name an unknown kind of validation.
    """
    http_client = client or JSONClient(
        proxy=settings.proxy_url, ca_file=settings.ca_file, instrumentation=instrumentation
    )
    app_clock = clock or SystemClock()
    cache = open_cache(
        settings.cache_url.get_secret_value(),
        clock=app_clock,
        key=derive_cache_key(settings),
        ca_file=settings.ca_file,
        instrumentation=instrumentation,
    )
    deny_list_file = DenyListFile(Path(settings.deny_list_file), clock=app_clock) if settings.deny_list_file else None
    deny_list = DenyList(cache, clock=app_clock, file=deny_list_file)
    shared = ValidatorContext(
        client=http_client, clock=app_clock, token_cache=ValidatedTokenCache(clock=app_clock), cache=cache
    )
    binding = BindingCheck(cache, clock=app_clock)
    deny_list.on_key_refresh(shared.refresh_key_sets)

    def build(validation: str) -> Authenticator:
        # Each kind of validation has its own token cache: a token whose signature alone was verified must not be
        # accepted by a handler that requires introspection.
        context = replace(shared, token_cache=ValidatedTokenCache(clock=app_clock))
        return Authenticator(
            [find_factory(validation or issuer.validation)(issuer, context) for issuer in settings.trusted_issuers],
            token_cache=context.token_cache,
            deny_list=deny_list,
            binding=binding,
            max_token_size=settings.max_token_size,
        )

    context = ResourceServerContext(
        authenticators=Authenticators(build),
        cors=CrossOriginPolicy(settings.cors_origins),
        realm=settings.realm,
        resource=_resource(settings),
        scope_matching=ScopeMatching(settings.scope_matching),
        clock=app_clock,
        monitor=TokenMonitor(clock=app_clock, is_denied=lambda principal: deny_list.denied_by(principal) is not None),
    )
    documentation = make_documentation(settings)
    service = ResourceServerApplication(
        all_routes(settings, routes, documentation=documentation),
        context=context,
        deny_list=deny_list,
        documentation=documentation,
        instrumentation=instrumentation,
        access_log=access_log,
        limits=settings,
    )
    service.add_cleanup(deny_list.close)
    service.add_cleanup(cache.close)
    if client is None:
        service.add_cleanup(http_client.close)
    return service


def all_routes(settings: Settings, routes: Sequence[Any] | None, *, documentation: Documentation | None) -> list[Any]:
    """Return these routes, or the endpoints of Okta's guide if None, together with the routes of the service itself."""
    documentation_routes = documentation.routes if documentation is not None else []
    api_routes = okta_guide.ROUTES if routes is None else routes
    forward_auth_routes = forward_auth.make_routes(api_routes) if settings.forward_auth else []
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
    return Documentation(title=settings.realm, resource=_resource(settings), client_id=settings.docs_client_id or "")


def _resource(settings: Settings) -> Resource:
    return Resource(
        public_url=settings.public_url,
        authorization_servers=tuple(issuer.issuer for issuer in settings.trusted_issuers),
    )


def protect(
    application: tornado.web.Application,
    settings: Settings,
    *,
    client: JSONClient | None = None,
    clock: Clock | None = None,
) -> ResourceServerApplication:
    """Protect the handlers of an existing application; call this after all routes are mounted.

    The routes are documented only if the setting ``docs`` is true, because the list of routes may be confidential.

    Returns:
        The application that validates the tokens; await its ``close()`` at the end, and optionally its ``warm_up()``
        before serving.

    Raises:
        SettingsError: A route is neither protected nor public, or the settings name an unknown kind of validation.
    """
    service = make_app(settings, routes=(), client=client, clock=clock)
    protect_application(application, service)
    application.add_handlers(r".*", resource_metadata.ROUTES)
    if settings.forward_auth:
        application.add_handlers(r".*", forward_auth.ROUTES)  # the paths below /auth may be the application's own
    if (documentation := make_documentation(settings, by_default=False)) is not None:
        application.add_handlers(r".*", documentation.routes)
        documentation.read(mounted_routes(application, default=None))
    return service
