"""``BearerAuthMixin``: authenticates and authorizes a request before the handler's own code runs."""

from __future__ import annotations

import functools
import time
from asyncio import Future
from collections.abc import Awaitable, Callable
from typing import Any

import tornado.web
from tornado.httputil import HTTPHeaders, ResponseStartLine, format_timestamp

from service.authenticator import Authenticator
from service.errors import MissingToken
from service.tokens.credentials import Credentials
from service.tokens.principal import Principal
from service.tracing.current import CURRENT_REQUEST, CurrentRequest
from service.web.handler import websocket
from service.web.handler.application_methods import ApplicationMethods
from service.web.handler.class_attributes import HandlerAttributes
from service.web.handler.context import ResourceServerContext
from service.web.handler.errors.methods import ErrorMethods
from service.web.handler.inherited_method import inherited_method
from service.web.handler.prepare import authenticate_first, authenticate_request
from service.web.handler.token_lifetime import TokenLifetime
from service.web.handler.token_monitor import MonitoredToken
from service.web.policy.requirements import Requirements
from service.web.responses.caching import add_to_vary, is_public, restrict_to_private, without_public
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.fields import copy_fields
from service.web.responses.methods import handler_methods

_TOKEN_REQUIRED = Requirements()
_TORNADO = f"TornadoServer/{tornado.version}"
_CLEAR, _NO_DEFAULT_HEADERS = tornado.web.RequestHandler.clear, tornado.web.RequestHandler.set_default_headers
_format_date = functools.lru_cache(maxsize=1)(format_timestamp)


class BearerAuthMixin(ErrorMethods, ApplicationMethods, HandlerAttributes, tornado.web.RequestHandler):
    """Protects a handler when it stands before Tornado's class among the bases.

    The request is authenticated and authorized before any ``prepare`` of the handler, which need not call ``super()``.
    """

    rejection_reason: str | None = None
    """Why the token of this request was rejected or could not be validated, for instrumentation."""

    _principal: Principal | None = None
    _credentials: Credentials | None = None
    _is_authentication_done: bool = False
    _is_preflight: bool = False
    """Whether the handler's own ``options`` responds to a preflight, which has no token."""
    _own_user: Any = None
    """The user that the application's ``get_current_user`` has returned."""
    _authorized_method: str | None = None
    _default_headers: HTTPHeaders | None = None
    _is_closing: bool = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Read the attributes of the class, so that a mistake in them stops the program."""
        super().__init_subclass__(**kwargs)
        cls._read_attributes(base=BearerAuthMixin)
        if cls._is_websocket:
            websocket.protect_class(cls)
        if not getattr(cls.prepare, "authenticates_first", False):
            # A `prepare` that forgets to call super() must not open the handler.
            prepare = vars(cls).get("prepare") or inherited_method(cls, "prepare")
            cls.prepare = authenticate_first(prepare)  # type: ignore[method-assign]  # replaced on purpose

    @property
    def principal(self) -> Principal:
        """The authenticated user and client.

        Raises:
            MissingToken: The token is optional and the request has none; or the request is a preflight.
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

    @authenticate_first
    def prepare(self, *args: Any, **kwargs: Any) -> Any:
        """Authenticate and authorize the request, then call the ``prepare`` of the next class with these arguments.

        Returns:
            An awaitable if the call comes from another ``prepare``, so that ``await super().prepare()`` always works.
        """
        return super().prepare(*args, **kwargs)

    def watch_token(
        self, *, on_end: Callable[[], None] | None = None, on_stop: Callable[[], None] | None = None
    ) -> MonitoredToken:
        """Monitor the token of a long response; for an anonymous request, only the end of the service.

        Args:
            on_end: Called when the token has expired, or is denied or revoked.
            on_stop: Called when the service stops.
        """
        return self._lifetime.watch(on_end=on_end, on_stop=on_stop)

    async def reauthenticate(self, token: str, *, proof: str | None = None) -> None:
        """Continue with another token of the same user and client, sent in a message.

        Args:
            proof: The DPoP proof of a bound token, for the method and URL with which the connection was opened.

        Raises:
            TokenError: The token is rejected or has another subject or client; if not caught, the socket is closed.
            IssuerUnavailable: The token cannot be validated now.
            TooManyRequests: The client's address has caused too many introspection requests.
        """
        await self._lifetime.reauthenticate(token, proof)

    def _authenticate_request(self) -> Awaitable[None] | None:
        return authenticate_request(self)

    def _set_principal(self, principal: Principal | None) -> None:
        """Set the principal and drop Tornado's cached ``current_user``, unless the handler has set another one."""
        self._principal = principal
        cached = vars(self).get("_current_user")
        if cached is None or isinstance(cached, Principal) or cached is self._own_user:
            vars(self).pop("_current_user", None)

    @property
    def _requirements(self) -> Requirements:
        """The requirements of the current method, which ``prepare`` may change; by default, a token."""
        return type(self).policy.requirements.get(self.request.method or "", _TOKEN_REQUIRED)

    @property
    def _authenticator(self) -> Authenticator:
        return self._context.authenticators.for_validation(self._requirements.validation)

    @functools.cached_property
    def _lifetime(self) -> TokenLifetime:
        return TokenLifetime(self)

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
        return self._principal is None and (self._requirements.optional or self._is_preflight)

    @property
    def _allowed_methods(self) -> list[str]:
        """The methods to which the handler responds, for ``Allow`` (RFC 9110 section 10.2.1)."""
        methods = handler_methods(type(self))
        if self._serves_head(by_default=self._context.head_as_get):
            methods.insert(1 + methods.index("GET"), "HEAD")
        return methods

    def clear(self) -> None:
        """Start a response with the CORS headers, errors included."""
        has_default_headers = type(self).set_default_headers is not _NO_DEFAULT_HEADERS
        if has_default_headers or super().clear.__func__ is not _CLEAR:  # type: ignore[attr-defined]  # a bound method
            super().clear()
            if self._headers.get("Server") == _TORNADO:
                self.clear_header("Server")  # the version would tell an attacker which vulnerabilities to try
            self._default_headers = copy_fields(self._headers) if has_default_headers else None
        else:  # as Tornado does, in a third of its time
            self._write_buffer, self._status_code, self._reason = [], 200, "OK"
            self._headers = HTTPHeaders()
            self._headers["Content-Type"] = "text/html; charset=UTF-8"
            self._headers["Date"] = _format_date(int(time.time()))
        self._headers["X-Content-Type-Options"] = "nosniff"
        if (cors := self._cors).is_enabled:
            self._headers.update(cors.headers_for(self.request.headers.get("Origin")))

    def _complete_written_header_fields(self) -> None:
        """Complete the header fields when they are written, even by code that bypasses :meth:`flush`."""
        connection: Any = self.request.connection
        write_headers: Callable[..., Future[None]] = connection.write_headers

        def write_completed(
            start_line: ResponseStartLine, headers: HTTPHeaders, chunk: bytes | None = None
        ) -> Future[None]:
            # Restores the method of the class, and breaks a reference cycle; another handler may have done so already.
            vars(connection).pop("write_headers", None)
            current: CurrentRequest | None = vars(self.request).get(CURRENT_REQUEST)
            if current is not None and "X-Request-Id" not in headers:
                headers["X-Request-Id"] = current.request_id
            self._complete_header_fields(start_line.code, headers)
            return write_headers(start_line, headers, chunk)

        connection.write_headers = write_completed

    def _complete_header_fields(self, status: int, headers: HTTPHeaders) -> None:
        """Add ``Cache-Control`` and ``Vary``: no cache may send the response to a client with another token or none."""
        if status < 200:
            return
        own, principal = ", ".join(headers.get_list("Cache-Control")), self._principal
        if status >= 400:
            # What `set_default_headers` has set is meant for responses without an error.
            default = "" if self._default_headers is None else self._default_headers.get("Cache-Control", "")
            if self._error_response is not None or own in {"", default}:
                headers["Cache-Control"] = own = "no-store"
            if self._error_response is not None:
                self._errors.complete(self._error_response, status, headers)
        if principal is not None or not self._requirements.public:
            own = own if self._keeps_public else without_public(own)
            if principal is not None or "Authorization" in self.request.headers:
                headers["Cache-Control"] = restrict_to_private(own) if own else "private"
            if self._vary and not (own and is_public(own)):
                vary = ", ".join(headers.get_list("Vary"))
                headers["Vary"] = add_to_vary(vary, self._vary.split(", ")) if vary else self._vary
        if (cors := self._cors).is_enabled:
            names = cors.vary(headers.get("Vary"), origin=self.request.headers.get("Origin"))
            if names is not None:
                headers["Vary"] = names

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End a response; a status from 400 on without a body gets the usual JSON."""
        if not self._is_authorized:
            vars(self)["on_finish"] = lambda: None  # that of the handler may rely on its `prepare`, which has not run
        if chunk is None and self._status_code >= 400:
            chunk = self._errors.body_for_bare_status()
        return super().finish(chunk)

    def check_etag_header(self) -> bool:
        """Return whether the client has the response already; Tornado parses even the field of other requests."""
        return "If-None-Match" in self.request.headers and super().check_etag_header()

    def _request_summary(self) -> str:  # for Tornado's log messages, without the query
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    def on_connection_close(self) -> None:
        """Stop monitoring the token, since the client is gone."""
        self._lifetime.detach()
        super().on_connection_close()
