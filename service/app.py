"""Builds the application from the settings; the only module that connects all parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import tornado.web

from service.authenticator import Authenticator, Authenticators
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock, SystemClock
from service.instrumentation import Instrumentation
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.validators.base import ValidatorContext
from service.validators.registry import find_factory
from service.web.application.application import ResourceServerApplication, protect_application
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
) -> ResourceServerApplication:
    """Return an application that protects these routes.

    Args:
        routes: Tornado's tuples, URLSpecs or rules; by default the endpoints of Okta's guide.
        client: The HTTP client for requests to issuers, which the caller closes; by default one from the settings.
        clock: The clock for token lifetimes; by default the system clock.
        instrumentation: Receives responses, requests to issuers, and failures of the shared cache.

    Raises:
        SettingsError: A route is neither protected nor public, or a required validation is not configured.
    """
    http_client = client or JSONClient(
        proxy=settings.proxy_url, ca_file=settings.ca_file, instrumentation=instrumentation
    )
    app_clock = clock or SystemClock()
    cache = open_cache(
        settings.cache_url.get_secret_value(),
        clock=app_clock,
        ca_file=settings.ca_file,
        instrumentation=instrumentation,
    )
    deny_list = DenyList(cache, clock=app_clock)
    shared = ValidatorContext(
        client=http_client, clock=app_clock, token_cache=ValidatedTokenCache(clock=app_clock), cache=cache
    )

    def build(validation: str) -> Authenticator:
        # Each kind of validation has its own cache: a token that passed a weaker kind must not pass a stricter one.
        context = replace(shared, token_cache=ValidatedTokenCache(clock=app_clock))
        return Authenticator(
            [find_factory(validation or issuer.validation)(issuer, context) for issuer in settings.trusted_issuers],
            token_cache=context.token_cache,
            deny_list=deny_list,
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
    )
    service.add_cleanup(deny_list.close)
    service.add_cleanup(cache.close)
    if client is None:
        service.add_cleanup(http_client.close)
    return service


def all_routes(settings: Settings, routes: Sequence[Any] | None, *, documentation: Documentation | None) -> list[Any]:
    """Return the built-in routes and these, or the endpoints of Okta's guide if these are None."""
    documentation_routes = documentation.routes if documentation is not None else []
    forward_auth_routes = forward_auth.ROUTES if settings.forward_auth else []
    return [
        *health.ROUTES,
        *resource_metadata.ROUTES,
        *documentation_routes,
        *forward_auth_routes,
        *(okta_guide.ROUTES if routes is None else routes),
    ]


def make_documentation(settings: Settings, *, by_default: bool = True) -> Documentation | None:
    """Return the documentation of an application, or None if it is disabled.

    Args:
        by_default: Whether it is enabled if the settings do not say.
    """
    is_enabled = by_default if settings.docs is None else settings.docs
    if not is_enabled:
        return None
    return Documentation(title=settings.realm, resource=_resource(settings), client_id=settings.docs_client_id or "")


def _resource(settings: Settings) -> Resource:
    return Resource(
        public_url=settings.public_url,
        authorization_servers=tuple(trusted.issuer for trusted in settings.trusted_issuers),
    )


def protect(
    application: tornado.web.Application,
    settings: Settings,
    *,
    client: JSONClient | None = None,
    clock: Clock | None = None,
) -> ResourceServerApplication:
    """Protect an existing application; call it when all routes are mounted.

    The docs page and the OpenAPI document are served only if the setting ``docs`` is true, since they publish the list
    of the application's routes.

    Returns:
        The service behind the application: optionally await ``warm_up()`` before serving, and await ``close()`` at the
        end.

    Raises:
        SettingsError: A route is neither protected nor public, or a required validation is not configured.
    """
    service = make_app(settings, routes=(), client=client, clock=clock)
    protect_application(application, service)
    application.add_handlers(r".*", resource_metadata.ROUTES)
    if settings.forward_auth:
        application.add_handlers(r".*", forward_auth.ROUTES)
    if (documentation := make_documentation(settings, by_default=False)) is not None:
        application.add_handlers(r".*", documentation.routes)
        documentation.read(mounted_routes(application, default=None))
    return service
