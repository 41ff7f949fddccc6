"""Answers every refusal and every mistake in one way: status, challenge, headers for browsers, and JSON."""

from __future__ import annotations

import functools
import logging
import uuid
from asyncio import Future
from types import TracebackType
from typing import Any, ClassVar

import tornado.web

from service.errors import IssuerUnavailable, MissingToken, ServiceError, TokenError
from service.tokens.principal import Principal
from service.web.challenge import Refusal, describe_status, refusal_for
from service.web.cors import CrossOriginPolicy
from service.web.methods import methods_of
from service.web.policy import Policy
from service.web.protection import Protection

__all__ = ["RefusingHandler"]

_logger = logging.getLogger(__name__)


class RefusingHandler(tornado.web.RequestHandler):
    """Writes what its subclass, which judges, refuses."""

    policy: ClassVar[Policy] = Policy()
    _further_challenges: ClassVar[tuple[str, ...]] = ()
    _own_cors: ClassVar[CrossOriginPolicy | None] = None
    _principal: Principal | None = None

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

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Give a refusal its status, wherever in the handler it was raised."""
        refusal = self._refusal(status_code, kwargs)
        super().send_error(refusal.status, **(kwargs | {"refusal": refusal}))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write a refusal; every one of this service leaves here."""
        refusal = kwargs.get("refusal") or self._refusal(status_code, kwargs)
        for name, value in refusal.headers.items():
            self.set_header(name, value)
        if refusal.status == 401:
            for challenge in self._further_challenges:  # each in a field of its own, which no client can misread
                self.add_header("WWW-Authenticate", challenge)
        if status_code == 405:
            self.set_header("Allow", ", ".join(methods_of(type(self))))
        if status_code == 426:
            self.set_header("Upgrade", "websocket")  # RFC 9110 section 15.5.22
            self.set_header("Connection", "Upgrade")
        self.set_header("Cache-Control", "no-store")
        body = {"error": refusal.error, "error_description": refusal.description}
        if status_code >= 500 and status_code != 503:
            body["id"] = self._failure_id
        self.finish(body)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log a refusal as one line, and a mistake of ours with its stack, without the query and without headers."""
        where = f"{self.request.method} {self.request.path}"
        if isinstance(value, ServiceError | tornado.web.HTTPError):
            # At this level even for an issuer's trouble: that is one warning where it begins, not one for each request.
            _logger.info("refused %s: %s", where, value)
        else:
            _logger.error("failed %s: id %s", where, self._failure_id, exc_info=(typ, value, tb))  # type: ignore[arg-type]  # Tornado passes sys.exc_info()

    def _request_summary(self) -> str:
        """Return what Tornado's own log says of a request, where the application writes that: no query either."""
        return f"{self.request.method} {self.request.path} ({self.request.remote_ip})"

    @property
    def _protection(self) -> Protection:
        try:
            protection: Protection = self.settings[Protection.SETTING]
        except KeyError:
            raise RuntimeError("protected handlers are mounted with service.make_app(settings, routes=…)") from None
        return protection

    @property
    def _cors(self) -> CrossOriginPolicy:
        return self._own_cors or self._protection.cors

    @property
    def _is_nobody(self) -> bool:
        """Whether there could be a token, and is none."""
        return self._principal is None and self.policy.of(self.request.method).optional

    @functools.cached_property
    def _failure_id(self) -> str:
        """What the client can quote and the log can be searched for."""
        return uuid.uuid4().hex[:16]

    def _refusal(self, status_code: int, kwargs: dict[str, Any]) -> Refusal:
        error = kwargs.get("exc_info", (None, None, None))[1]
        if (
            isinstance(error, tornado.web.HTTPError)
            and status_code == 403
            and not error.log_message
            and self._is_nobody
        ):
            # What `@authenticated` raises; 403 for nobody would tell them that no token could help.
            error = MissingToken()
        if isinstance(error, TokenError | IssuerUnavailable):
            return refusal_for(
                error, realm=self._protection.realm, resource_metadata=self._protection.resource.metadata_url
            )
        return describe_status(status_code)
