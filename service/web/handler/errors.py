"""IntrospectionCache every refusal and every mistake in one way: status, challenge, headers for browsers, and JSON."""

from __future__ import annotations

import functools
import logging
import uuid
from asyncio import Future
from types import TracebackType
from typing import Any, ClassVar

import tornado.web

from service.errors import InvalidToken, IssuerUnavailable, MissingToken, Reason, ServiceError, TokenError
from service.tokens.principal import Principal
from service.web.handler.context import ResourceServerContext
from service.web.policy.policy import Policy
from service.web.responses.challenge import ErrorResponse, error_response_for, error_response_for_status
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.methods import handler_methods

_logger = logging.getLogger(__name__)

_OWN_FIELDS = ("WWW-Authenticate", "Allow", "Cache-Control")
"""What a handler that sets a status alone may have said itself, and stands."""


class RefusingHandler(tornado.web.RequestHandler):
    """Writes what its subclass, which judges, refuses."""

    policy: ClassVar[Policy] = Policy()
    _further_challenges: ClassVar[tuple[str, ...]] = ()
    _own_cors: ClassVar[CrossOriginPolicy | None] = None
    _principal: Principal | None = None
    _is_failure_logged: bool = False

    rejection_reason: str | None = None
    """Why the request is refused, where its token is at fault or cannot be judged; for instrumentations."""

    def clear(self) -> None:
        """Start an answer, with what lets a browser read it even when it is a refusal."""
        super().clear()
        self.set_header("X-Content-Type-Options", "nosniff")
        for name, value in self._cors.headers_for(self.request.headers.get("Origin")).items():
            self.set_header(name, value)

    def flush(self, include_footers: bool = False) -> Future[None]:  # noqa: FBT001, FBT002  # Tornado's own signature
        """Send what is written, and before its first part say whether it is for one origin alone."""
        if not self._headers_written:
            own = self._headers.get("Vary")
            vary = self._cors.vary(own, origin=self.request.headers.get("Origin"))
            if vary is not None and vary != own:
                self.set_header("Vary", vary)
        return super().flush(include_footers)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """End an answer; a refusal that nobody put into words, like one by ``set_status`` alone, gets ours."""
        if chunk is None and self._is_wordless:
            own = {name: values for name in _OWN_FIELDS if (values := self._headers.get_list(name))}
            is_theirs = self._status_code == 401 and "WWW-Authenticate" in own
            refusal = error_response_for_status(401) if is_theirs else self._refusal(self._status_code, None)
            chunk = self._worded(refusal)
            for name, values in own.items():
                self.clear_header(name)
                for value in values:
                    self.add_header(name, value)
            self.clear_header("Etag")  # it was for another body
        return super().finish(chunk)

    @property
    def _is_wordless(self) -> bool:
        """Whether the answer refuses without a body, and without saying that this is meant."""
        is_meant = {"Content-Length", "Content-Encoding"} & self._headers.keys()
        return self._status_code >= 400 and not (self._write_buffer or self._headers_written or is_meant)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Give a refusal its status, wherever in the handler it was raised."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        # Raised by mistake, what only announces an answer, such as 100, would leave the client without one.
        refusal = self._refusal(500 if status_code < 200 else status_code, error)
        super().send_error(refusal.status, **(kwargs | {"refusal": refusal}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write a refusal; every one of this service leaves here."""
        refusal = kwargs.get("refusal") or self._refusal(status_code, None)
        self.finish(self._worded(refusal) if refusal.status >= 400 else None)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a refusal as one line, and a mistake of ours with its stack, without the query and without headers."""
        if isinstance(value, ServiceError) or (isinstance(value, tornado.web.HTTPError) and value.status_code < 500):
            # At this level even for an issuer's trouble: that is one warning where it begins, not one for each request.
            _logger.info("refused %s: %s", self._what, value)
        else:
            self._log_failure(exc_info=(typ, value, tb))

    def _request_summary(self) -> str:
        """Return what Tornado's own log says of a request, where the application writes that: no query either."""
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    @property
    def _context(self) -> ResourceServerContext:
        try:
            context: ResourceServerContext = self.settings[ResourceServerContext.SETTING]
        except KeyError:
            raise RuntimeError("protected handlers are mounted with service.make_app(settings, routes=…)") from None
        return context

    @property
    def _cors(self) -> CrossOriginPolicy:
        return self._own_cors or self._context.cors

    @property
    def _is_nobody(self) -> bool:
        """Whether there could be a token, and is none."""
        return self._principal is None and self.policy.of(self.request.method).optional

    @property
    def _what(self) -> str:
        return f"{self.request.method} {self.request.path}"

    @functools.cached_property
    def _failure_id(self) -> str:
        """What the client can quote and the log can be searched for."""
        return uuid.uuid4().hex[:16]

    def _log_failure(self, *, exc_info: Any = None) -> None:
        """Log a mistake of ours under the id that its client is told."""
        self._is_failure_logged = True
        _logger.error("failed %s: id %s", self._what, self._failure_id, exc_info=exc_info)

    def _worded(self, refusal: ErrorResponse) -> dict[str, Any]:
        """Write the fields of a refusal, and return its body."""
        for name, value in refusal.headers.items():
            self.set_header(name, value)
        if refusal.status == 401:
            for challenge in self._further_challenges:  # each in a field of its own, which no client can misread
                self.add_header("WWW-Authenticate", challenge)
        if refusal.status == 405:
            self.set_header("Allow", ", ".join(handler_methods(type(self))))
        if refusal.status == 426:
            self.set_header("Upgrade", "websocket")  # RFC 9110 section 15.5.22
            self.set_header("Connection", "Upgrade")
            self.set_header("Sec-WebSocket-Version", "13")  # RFC 6455 section 4.4
        self.set_header("Cache-Control", "no-store")
        body = {"error": refusal.error, "error_description": refusal.description}
        if refusal.is_failure:
            if not self._is_failure_logged:
                self._log_failure()
            body["id"] = self._failure_id
        return body

    def _refusal(self, status_code: int, error: BaseException | None) -> ErrorResponse:
        if (
            status_code == 403
            and self._is_nobody
            and isinstance(error, tornado.web.HTTPError)
            and not error.log_message
        ):
            # What `@authenticated` raises; 403 for nobody would tell them that no token could help.
            status_code = 401
        if status_code == 401 and not isinstance(error, TokenError):
            # A handler that refuses by a status alone; a 401 always comes with a challenge (RFC 9110 section 15.5.2).
            error = MissingToken() if self._principal is None else InvalidToken(Reason.REJECTED_BY_HANDLER)
        if isinstance(error, TokenError | IssuerUnavailable):
            self.rejection_reason = str(error.reason) if isinstance(error, TokenError) else "issuer_unavailable"
            return error_response_for(
                error, realm=self._context.realm, resource_metadata=self._context.resource.metadata_url
            )
        return error_response_for_status(status_code)
