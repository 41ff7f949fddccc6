"""Joins the parts; the only place that knows all of them."""

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
    """Return the application that protects these routes.

    Args:
        routes: Tornado's own tuples, URLSpecs or rules; the guide's endpoints when left out.
        client: Asks issuers, and is closed by whoever made it; made from the settings when left out.
        clock: The machine's when left out.
        instrumentation: Is told of answers, of questions to issuers, and of failures of the shared cache.

    Raises:
        SettingsError: A route is neither protected nor public, or nobody could judge a token.
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
        # Each way of judging has its own token cache: a signature alone must not open what asks for more.
        context = replace(shared, token_cache=ValidatedTokenCache(clock=app_clock))
        return Authenticator(
            [find_factory(validation or one.validation)(one, context) for one in settings.trusted_issuers],
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
    """Return the routes that an application serves whose user named these, or left them out."""
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
    """Return what describes an application once its routes are known, or None where nobody wants it described.

    Args:
        by_default: Whether it is wanted where the settings are silent.
    """
    is_enabled = by_default if settings.docs is None else settings.docs
    if not is_enabled:
        return None
    return Documentation(title=settings.realm, resource=_resource(settings), client_id=settings.docs_client_id or "")


def _resource(settings: Settings) -> Resource:
    return Resource(
        public_url=settings.public_url,
        authorization_servers=tuple(one.issuer for one in settings.trusted_issuers),
    )


def protect(
    application: tornado.web.Application,
    settings: Settings,
    *,
    client: JSONClient | None = None,
    clock: Clock | None = None,
) -> ResourceServerApplication:
    """Protect the handlers of an application that its user builds; call it when all routes are mounted.

    It describes them only where the settings say ``docs``: the list of an application's routes is its user's to
    publish, and it was there before we were.

    Returns:
        What judges for it: await its ``warm_up()`` before serving, if you like, and its ``close()`` at the end.

    Raises:
        SettingsError: A route is neither protected nor public, or nobody could judge a token.
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
