"""``BearerAuthMixin``: authenticates and authorizes a request before the handler's own code runs."""

from __future__ import annotations

import functools
from asyncio import Future
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

import tornado.web

from service.authenticator import Authenticator
from service.errors import MissingToken
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.web.credentials.sources import read_credentials
from service.web.handler import websocket
from service.web.handler.authorization import call_authorize
from service.web.handler.class_attributes import HandlerAttributes
from service.web.handler.context import ResourceServerContext
from service.web.handler.csrf import apply_source_rules
from service.web.handler.errors import ErrorResponder
from service.web.handler.prepare import authenticate_first
from service.web.handler.token_lifetime import TokenLifetime
from service.web.handler.token_monitor import MonitoredToken
from service.web.policy.requirements import Requirements
from service.web.responses.cors import CrossOriginPolicy, is_preflight, send_preflight_response

_TORNADO = f"TornadoServer/{tornado.version}"


class BearerAuthMixin(HandlerAttributes, tornado.web.RequestHandler):
    """Protects a handler when it stands before Tornado's class among the bases.

    The request is authenticated and authorized before any ``prepare`` of the handler, which need not call ``super()``.
    """

    rejection_reason: str | None = None
    """Why the token of this request was rejected or could not be validated, for instrumentation."""

    _principal: Principal | None = None
    _credentials: Credentials | None = None
    _is_authentication_done: bool = False
    _is_closing: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the attributes of the class, so that a mistake in them stops the program."""
        super().__init_subclass__(**kwargs)
        cls._read_attributes(base=BearerAuthMixin)
        if cls._is_websocket:
            websocket.protect_class(cls)
        if not getattr(cls.prepare, "authenticates_first", False):
            # A `prepare` that forgets to call super() must not open the handler.
            cls.prepare = authenticate_first(cls.prepare)  # type: ignore[method-assign]  # replaced on purpose

    @property
    def principal(self) -> Principal:
        """The authenticated user and client.

        Raises:
            MissingToken: The token is optional and the request has none; ``current_user`` is None then.
            RuntimeError: The handler is public, so no token is read.
        """
        if self._principal is None:
            if self._is_anonymous:
                raise MissingToken
            raise RuntimeError(f"{type(self).__qualname__} is public: it reads no token, so there is no principal")
        return self._principal

    def authorize(self, principal: Principal) -> Awaitable[bool] | bool:  # noqa: ARG002  # for overriding methods
        """Return whether the principal may make this request; called last, and only if there is a token."""
        return True

    def get_current_user(self) -> Principal | None:
        """Return the principal for Tornado's ``current_user``, or None if the request is anonymous."""
        return self._principal

    def get_login_url(self) -> str:
        """Reject a request that ``@authenticated`` would redirect to a login page.

        Raises:
            MissingToken: The token is optional and missing.
            tornado.web.HTTPError: 403, since the handler is public and reads no token.
        """
        if self._is_anonymous:
            raise MissingToken
        raise tornado.web.HTTPError(403, "the handler reads no token, so current_user is always None")

    @authenticate_first
    def prepare(self) -> Awaitable[None] | None:
        """Authenticate and authorize the request, then call the ``prepare`` of the next class."""
        return super().prepare()

    def watch_token(
        self, *, on_end: Callable[[], None] | None = None, on_stop: Callable[[], None] | None = None
    ) -> MonitoredToken:
        """Monitor the token of a long response.

        Args:
            on_end: Called when the token has expired, or is denied or revoked.
            on_stop: Called when the service stops.

        Raises:
            MissingToken: The token is optional and the request has none.
        """
        return self._lifetime.watch(self.principal, on_end=on_end, on_stop=on_stop)

    async def reauthenticate(self, token: str) -> None:
        """Continue with another token of the same user and client, sent in a message.

        Raises:
            TokenError: The token is rejected or has another subject or client; if not caught, the socket is closed.
            IssuerUnavailable: The token cannot be validated now.
        """
        await self._lifetime.reauthenticate(token)

    def _authenticate_request(self) -> Awaitable[None] | None:
        """Authenticate and authorize the request; return an awaitable only if the token must be validated."""
        request = self.request
        if request.method == "OPTIONS" and is_preflight(request.headers):
            send_preflight_response(self, self._cors)
            return None
        requirements = self._requirements
        credentials = None if requirements.public else read_credentials(request, self._token_sources)
        if credentials is None and not (requirements.public or requirements.optional):
            raise MissingToken
        if self._is_websocket and request.method == "GET":
            websocket.check_handshake(self)
        if credentials is None:
            return None
        if credentials.place != "header":
            apply_source_rules(self, credentials.place)
        self._credentials = credentials
        principal = self._authenticator.get_cached(credentials)
        return self._validate_and_authorize(credentials) if principal is None else self._authorize(principal)

    async def _validate_and_authorize(self, credentials: Credentials) -> None:
        authorization = self._authorize(await self._authenticator.authenticate(credentials))
        if authorization is not None:
            await authorization

    def _authorize(self, principal: Principal) -> Awaitable[None] | None:
        context = self._context
        self._requirements.check(principal, now=context.clock.now(), matching=context.scope_matching)
        self._set_principal(principal)
        return call_authorize(self, principal) if self.policy.has_authorize else None

    def _set_principal(self, principal: Principal | None) -> None:
        """Set the principal and drop Tornado's cached ``current_user``, unless the handler has set another one."""
        self._principal = principal
        cached = vars(self).get("_current_user")
        if cached is None or isinstance(cached, Principal):
            vars(self).pop("_current_user", None)

    @functools.cached_property
    def _requirements(self) -> Requirements:
        return self.policy.requirements[self.request.method or ""]

    @property
    def _authenticator(self) -> Authenticator:
        return self._context.authenticators.for_validation(self._requirements.validation)

    @functools.cached_property
    def _lifetime(self) -> TokenLifetime:
        return TokenLifetime(self)

    @functools.cached_property
    def _errors(self) -> ErrorResponder:
        return ErrorResponder(self)

    @functools.cached_property
    def _context(self) -> ResourceServerContext:
        try:
            context: ResourceServerContext = self.settings[ResourceServerContext.SETTING]
        except KeyError:
            raise RuntimeError("protected handlers are mounted with service.make_app(settings, routes=…)") from None
        return context

    @property
    def _cors(self) -> CrossOriginPolicy:
        return self._context.cors if self._own_cors is None else self._own_cors

    @property
    def _is_anonymous(self) -> bool:
        return self._principal is None and self._requirements.optional

    def clear(self) -> None:
        """Start a response with the CORS headers, errors included."""
        super().clear()
        if self._headers.get("Server") == _TORNADO:
            self.clear_header("Server")  # the version would tell an attacker which vulnerabilities to try
        self.set_header("X-Content-Type-Options", "nosniff")
        if (cors := self._cors).is_enabled:
            for name, value in cors.headers_for(self.request.headers.get("Origin")).items():
                self.set_header(name, value)

    def flush(self, include_footers: bool = False) -> Future[None]:  # noqa: FBT001, FBT002  # Tornado's signature
        """Send what is written; a response for one origin names ``Origin`` in ``Vary``."""
        if not self._headers_written and (cors := self._cors).is_enabled:
            vary = cors.vary(self._headers.get("Vary"), origin=self.request.headers.get("Origin"))
            if vary is not None:
                self.set_header("Vary", vary)
        return super().flush(include_footers)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End a response; a status from 400 on without a body gets the usual JSON."""
        if chunk is None and self._status_code >= 400:
            chunk = self._errors.body_for_bare_status()
        return super().finish(chunk)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Send the error response for an exception or a status."""
        response = self._errors.response_for(status_code, kwargs.get("exc_info", (None, None, None))[1])
        super().send_error(response.status, **(kwargs | {"error_response": response}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the JSON of an error response."""
        self.finish(self._errors.body(kwargs.get("error_response"), status_code))

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a rejection as one line, and an unexpected exception with its stack."""
        self._errors.log(value, (typ, value, tb))

    def _request_summary(self) -> str:  # for Tornado's log messages, without the query
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    def check_xsrf_cookie(self) -> None:
        """Apply Tornado's check only to requests without a token, which no other site can send in a header.

        :func:`service.web.handler.csrf.check_same_site` checks requests with a token in a cookie.
        """
        requirements = self._requirements
        if requirements.public or (requirements.optional and not read_credentials(self.request, self._token_sources)):
            super().check_xsrf_cookie()

    def check_trusted_origin(self, origin: str) -> bool:
        """Let Tornado's ``cross_origin_protection`` trust the listed origins."""
        return self._cors.lists(origin) or origin in self.settings.get("trusted_origins", ())

    def on_connection_close(self) -> None:
        """Stop monitoring the token, since the client is gone."""
        self._lifetime.detach()
        super().on_connection_close()
