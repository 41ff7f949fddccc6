"""Authenticates and authorizes requests outside a protected handler, and joins the parts that this needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path

from tornado.httputil import HTTPServerRequest

from service.authenticators import build_authenticators
from service.binding import SCHEME, binding_check
from service.caches.deny_file import DenyListFile
from service.caches.deny_list import DenyList
from service.caches.shared import open_cache
from service.caches.tokens import ValidatedTokenCache
from service.clock import Clock, SystemClock
from service.errors import CrossSiteRequest, MissingToken, RetryLater, ServiceError, TokenError
from service.health import Health
from service.instrumentation import Instrumentation, Observers
from service.issuers.cache_key import derive_cache_key
from service.issuers.client import JSONClient
from service.settings.program import Settings
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.tracing.spans import open_tracing
from service.validators.base import ValidatorContext
from service.validators.registry import token_issuers
from service.web.connections.trusted_proxies import TrustedProxies
from service.web.credentials.foreign_request import make_request
from service.web.credentials.possession import PossessionReader
from service.web.credentials.proxy_headers import check_proxies_are_named
from service.web.credentials.sources import parse_sources, read_credentials, source_functions
from service.web.credentials.subprotocol import read_subprotocol
from service.web.handler.context import ResourceServerContext
from service.web.handler.errors.responder import log_rejection
from service.web.handler.prepare import find_cached
from service.web.handler.token_lifetime import revalidation
from service.web.handler.token_monitor import MonitoredToken, TokenMonitor
from service.web.policy.requirements import ATTRIBUTES, parse_requirements
from service.web.policy.scopes import ScopeMatching
from service.web.responses.challenge import ChallengeSchemes, error_response_for
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.rejection import RejectionResponse
from service.web.responses.resource import Resource

_REQUIREMENTS = ATTRIBUTES.keys() - {"public", "optional", "validation", "dpop", "dpop_nonce"}


class Guard:
    """Authenticates requests for code that is no protected handler: an identity provider, a router, another framework.

    Args:
        token_sources: The places that may hold the token, as a handler names them. A request for a WebSocket may also
            offer it as a subprotocol.
        token_cookie: The name of the cookie.
        client: Sends requests to issuers, and is closed by the caller; by default, one is made from the settings.
        clock: The clock of the system by default.
        instrumentation: Receives requests to issuers and errors of the shared cache; a guard sends no responses.

    Attributes:
        context: The objects that the handlers of an application share; internal.
        deny_list: The users, clients and tokens that are rejected although the issuer accepts them.

    Raises:
        SettingsError: The settings name an unknown kind of validation, or no proxy whose headers may hold the token.
        TypeError: ``token_sources`` is neither a name nor a list of names.
        ValueError: A source is unknown, or the name of the cookie is malformed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        token_sources: str | Iterable[str] = "header",  # noqa: S107  # the name of a place
        token_cookie: str = "__Host-access_token",  # noqa: S107  # the name of a cookie
        client: JSONClient | None = None,
        clock: Clock | None = None,
        instrumentation: Instrumentation | None = None,
    ) -> None:
        sources = parse_sources(token_sources, cookie=token_cookie)
        check_proxies_are_named(sources, has_trusted_proxies=bool(settings.trusted_proxies))
        self._sources = source_functions(sources, cookie=token_cookie)
        observers = instrumentation if isinstance(instrumentation, Observers) else Observers(instrumentation)
        tracing = open_tracing(is_on=settings.tracing)
        http_client = client or JSONClient(
            proxy=settings.proxy_url, ca_file=settings.ca_file, instrumentation=observers, tracing=tracing
        )
        clock = clock or SystemClock()
        cache = open_cache(
            settings.cache_url.get_secret_value(),
            clock=clock,
            key=derive_cache_key(settings),
            ca_file=settings.ca_file,
            instrumentation=observers,
        )
        deny_list_file = DenyListFile(Path(settings.deny_list_file), clock=clock) if settings.deny_list_file else None
        issuers = token_issuers(settings.trusted_issuers)
        self.deny_list = deny_list = DenyList(cache, clock=clock, file=deny_list_file, issuers=issuers)
        shared = ValidatorContext(
            client=http_client, clock=clock, token_cache=ValidatedTokenCache(clock=clock), cache=cache
        )
        deny_list.on_key_refresh(shared.refresh_key_sets)
        binding = binding_check(settings, cache, clock=clock)

        authenticators = build_authenticators(
            settings, shared, deny_list=deny_list, binding=binding, observers=observers
        )
        health = Health(authenticators, issuers=shared.statuses, deny_list=deny_list, cache=cache, binding=binding)
        self.context = ResourceServerContext(
            authenticators=authenticators,
            health=health,
            cors=CrossOriginPolicy(settings.cors_origins),
            realm=settings.realm,
            resource=Resource.of(settings),
            scope_matching=ScopeMatching(settings.scope_matching),
            head_as_get=settings.head_as_get,
            log_principal=settings.log_principal,
            tracing=tracing,
            clock=clock,
            possession=PossessionReader.of(settings),
            proof_algorithms=settings.dpop_algorithms,
            challenges=ChallengeSchemes.of(
                [issuer.dpop for issuer in settings.trusted_issuers], settings.dpop_algorithms
            ),
            trusted_proxies=TrustedProxies(settings.trusted_proxies) if settings.trusted_proxies else None,
            monitor=TokenMonitor(clock=clock, is_denied=lambda principal: deny_list.denied_by(principal) is not None),
        )
        self._authenticator = self.context.authenticators.for_validation("")
        self._cleanups: list[Callable[[], Awaitable[None] | None]] = [
            self.context.authenticators.close,
            self.context.monitor.close,
            deny_list.close,
            cache.close,
        ]
        if client is None:
            self._cleanups.append(http_client.close)

    request = staticmethod(make_request)
    """Makes Tornado's request object, for code that has none."""

    async def authenticate(self, request: HTTPServerRequest) -> Principal | None:
        """Return the principal of a request's token, or None if the request has no token; call this once a request.

        Raises:
            TokenError: The token is malformed, sent twice, or rejected.
            CrossSiteRequest: The token is in a cookie, and another site sent the request.
            IssuerUnavailable: The token cannot be validated now.
            TooManyRequests: The client's address has caused too many introspection requests.
        """
        if self.context.trusted_proxies is not None:
            self.context.trusted_proxies.read(request)
        credentials = self._read_credentials(request)
        if credentials is None:
            return None
        if credentials.scheme == SCHEME or self.context.possession.certificate_of is not None:
            credentials = replace(credentials, possession=self.context.possession.read(request))
        principal = find_cached(
            request,
            credentials,
            authenticator=self._authenticator,
            cors=self.context.cors,
            resource=self.context.resource,
        )
        return principal or await self._authenticator.authenticate(credentials, peer=request.remote_ip)

    def authorize(self, principal: Principal | None, **requirements: object) -> Principal:
        """Check the requirements of an operation, and return the principal.

        Args:
            principal: The result of :meth:`authenticate`.
            requirements: Those that a handler states as class attributes: ``scopes``, ``groups``, ``claims``,
                and the others of :class:`BearerAuthMixin`, but those that say whether a token is read.

        Raises:
            MissingToken: The principal is None.
            TokenError: The principal does not meet a requirement.
            TypeError: A requirement is unknown, or has a type without a meaning.
            ValueError: A requirement has an impossible value.
        """
        if unknown := requirements.keys() - _REQUIREMENTS:
            names = ", ".join(name for name in ATTRIBUTES if name in _REQUIREMENTS)
            raise TypeError(f"authorize() does not accept {', '.join(sorted(unknown))}; it accepts {names}")
        parsed = parse_requirements(**{**ATTRIBUTES, **requirements})
        if principal is None:
            raise MissingToken
        parsed.check(principal, now=self.context.clock.now(), matching=self.context.scope_matching)
        return principal

    def reject(self, error: ServiceError, request: HTTPServerRequest | None) -> RejectionResponse:
        """Log the rejection of a request, and return the response to it.

        Args:
            error: What a method of the guard has raised; an error of another kind is raised again.
            request: None if :meth:`request` has raised the error.
        """
        if not isinstance(error, TokenError | CrossSiteRequest | RetryLater):
            raise error
        log_rejection(error, request)
        context = self.context
        authorization = "" if request is None else request.headers.get("Authorization", "")
        response = error_response_for(
            error,
            realm=context.realm,
            resource_metadata=context.resource.metadata_url,
            schemes=context.challenges,
            tried=SCHEME if authorization[:5].lower() == "dpop " else "Bearer",
        )
        origin = None if request is None else request.headers.get("Origin")
        return RejectionResponse.of(response, cors=context.cors.headers_for(origin))

    def watch_token(
        self,
        principal: Principal,
        request: HTTPServerRequest,
        *,
        on_end: Callable[[], None] | None = None,
        on_stop: Callable[[], None] | None = None,
    ) -> MonitoredToken:
        """Monitor the token of a WebSocket or a long response, for as long as the caller holds the result.

        Args:
            principal: The result of :meth:`authenticate`.
            request: The request with the token.
            on_end: Called when the token has expired, or is denied or revoked.
            on_stop: Called when the guard is closed.

        Raises:
            MissingToken: The request has no token.
        """
        credentials = self._read_credentials(request)
        if credentials is None:
            raise MissingToken
        revalidate = revalidation(self._authenticator, credentials)
        return self.context.monitor.watch(principal, revalidate=revalidate, on_end=on_end, on_stop=on_stop)

    async def close(self) -> None:
        """Release all resources: pending fetches, connections to issuers, caches, monitored tokens."""
        while self._cleanups:
            result = self._cleanups.pop(0)()
            if result is not None:
                await result

    def _read_credentials(self, request: HTTPServerRequest) -> Credentials | None:
        is_websocket = request.headers.get("Upgrade", "").lower() == "websocket"
        return read_credentials(request, (*self._sources, read_subprotocol) if is_websocket else self._sources)
