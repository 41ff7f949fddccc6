"""Turns an exception or a status into the one form of error response: status, challenge and JSON."""

from __future__ import annotations

import http.client
import logging
import uuid
from dataclasses import replace
from typing import Any

import tornado.web
from tornado.escape import json_encode
from tornado.httputil import HTTPHeaders, HTTPServerRequest

from service.errors import CrossSiteRequest, InvalidToken, MissingToken, Reason, RetryLater, ServiceError, TokenError
from service.web.responses.challenge import (
    ChallengeSchemes,
    ErrorResponse,
    error_response_for,
    error_response_for_status,
)

_logger = logging.getLogger(__name__)


class ErrorResponder:
    """Writes and logs the error of one request.

    Args:
        handler: The handler of the request, a :class:`~service.web.handler.mixin.BearerAuthMixin`.
    """

    __slots__ = ("_error_id", "_handler", "_is_logged")

    def __init__(self, handler: Any) -> None:
        self._handler = handler
        self._error_id = ""
        self._is_logged = False

    def response_for(self, status: int, error: BaseException | None, *, reason: str | None = None) -> ErrorResponse:
        """Return the response to an exception, or to a status that the handler set.

        Args:
            reason: The handler's own words; by default, those of the exception.
        """
        handler = self._handler
        words = reason if error is None else _words(error)
        if status < 200:
            status = 500  # an interim status, raised by mistake, would leave the client without a response
        if status == 403 and self._is_login_required(error):
            status = 401  # `@authenticated` raises a bare 403, but a token would help an anonymous client
        if status == 401 and not isinstance(error, TokenError):
            # A 401 always comes with a challenge (RFC 9110 section 15.5.2).
            error = MissingToken() if handler._principal is None else InvalidToken(Reason.REJECTED_BY_HANDLER)
        if isinstance(error, TokenError | CrossSiteRequest | RetryLater):
            handler.rejection_reason = str(error.reason)
            context = handler._context
            credentials, dpop = handler._credentials, handler._requirements.dpop
            response = error_response_for(
                error,
                realm=context.realm,
                resource_metadata=context.resource.metadata_url,
                schemes=context.challenges if dpop is None else ChallengeSchemes.of([dpop], context.proof_algorithms),
                tried="Bearer" if credentials is None else credentials.scheme,
            )
        else:
            response = error_response_for_status(status)
        return replace(response, description=words) if words else response

    def _is_login_required(self, error: BaseException | None) -> bool:
        """Return whether an exception is the one of ``@authenticated`` for a request without a token or other login."""
        is_bare = isinstance(error, tornado.web.HTTPError) and not (error.log_message or error.reason)
        return is_bare and self._handler._is_anonymous and not vars(self._handler).get("_current_user")

    def body_for_bare_status(self) -> dict[str, Any] | None:
        """Return the JSON for a handler that has set only a status, or None if it has written a response."""
        handler = self._handler
        is_written = handler._write_buffer or handler._headers_written or handler._is_error_own
        if is_written or {"Content-Length", "Content-Encoding"} & handler._headers.keys():
            return None
        handler.clear_header("Etag")  # it described another body
        status, reason = handler.get_status(), handler._reason
        is_usual = reason == http.client.responses.get(status, "Unknown")
        return self.write(self.response_for(status, None, reason=None if is_usual else reason))

    def body(self, response: ErrorResponse | None, status: int) -> dict[str, Any] | None:
        """Return the JSON of an error response, or None for a status below 400, which has none."""
        if response is None or response.status != status:
            response = self.response_for(status, None)
        return self.write(response) if response.status >= 400 else None

    def write(self, response: ErrorResponse) -> dict[str, Any]:
        """Set those headers of an error response that the handler has not set itself, and return its JSON body."""
        content = self.content(response)
        _add_missing(self.header_fields(response, content), self._handler._headers)
        return content

    def complete(self, response: ErrorResponse, status: int, headers: HTTPHeaders) -> None:
        """Add the header fields that an application's own ``write_error`` has not set, such as the challenge of a 401.

        Args:
            status: The status that is sent; ``write_error`` may have set another one.
        """
        if status == response.status:
            _add_missing(self.header_fields(response), headers)

    def header_fields(self, response: ErrorResponse, content: dict[str, Any] | None = None) -> HTTPHeaders:
        """Return the header fields of an error response, without those of its content."""
        fields = response.header_fields()
        kind = type(self._handler)
        if response.status == 405:
            fields["Allow"] = ", ".join(self._handler._allowed_methods)
        if response.status == 426:
            # RFC 9110 section 15.5.22, RFC 6455 section 4.4
            fields.update({"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"})
        if response.status == 401:
            for challenge in kind._further_challenges:  # one field each, which every client can parse
                fields.add("WWW-Authenticate", challenge)
        if kind._sends_error_header and content is not None:
            # nginx discards the body of the response to its subrequest, but its configuration can read a header.
            fields["X-Auth-Error"] = json_encode(content)
        return fields

    def content(self, response: ErrorResponse) -> dict[str, Any]:
        """Return the JSON of an error response, with the ID of a log entry if the server failed."""
        content = response.content
        if response.is_failure:
            if not self._is_logged:
                self._log_failure(None)
            content["id"] = self._error_id
        return content

    def log(self, error: BaseException | None, exc_info: Any) -> None:
        """Log a rejection as one line, and an unexpected exception with its stack, without query and headers."""
        if isinstance(error, ServiceError) or (isinstance(error, tornado.web.HTTPError) and error.status_code < 500):
            log_rejection(error, self._handler.request)
        else:
            self._log_failure(exc_info)

    def _log_failure(self, exc_info: Any) -> None:
        """Log an unexpected exception with the ID that the client receives."""
        self._is_logged = True
        self._error_id = self._error_id or uuid.uuid4().hex[:16]
        fields = _request_fields(self._handler.request) | {"error_id": self._error_id}
        _logger.error(
            "unhandled exception in %(method)s %(path)s, error_id %(error_id)s", fields, exc_info=exc_info, extra=fields
        )


def _words(error: BaseException) -> str | None:
    """Return what an exception of the application says to the client, or None if it says nothing."""
    if isinstance(error, tornado.web.MissingArgumentError):
        return error.reason or f"Missing argument {error.arg_name}"
    return error.reason if isinstance(error, tornado.web.HTTPError) else None


def _add_missing(fields: HTTPHeaders, headers: HTTPHeaders) -> None:
    for name in [name for name in fields if name not in headers]:
        for value in fields.get_list(name):
            headers.add(name, value)


def log_rejection(error: BaseException, request: HTTPServerRequest | None) -> None:
    """Log a rejection as one line; an unavailable issuer is logged once, as a warning, where it is noticed."""
    reason = str(error.reason) if isinstance(error, TokenError) else type(error).__name__
    fields = _request_fields(request) | {"reason": reason, "detail": str(error)}
    _logger.info("rejected %(method)s %(path)s: %(detail)s", fields, extra=fields)


def _request_fields(request: HTTPServerRequest | None) -> dict[str, Any]:
    return {"method": "-", "path": "-"} if request is None else {"method": request.method, "path": request.path}
