"""Responds to a request before its handler's own code has run, and without running any of that code.

The ``finish``, ``write_error`` or ``on_finish`` of a handler may rely on its ``prepare``. A rejection that called them
would fail in turn, and an anonymous client could hold a connection open that never gets its response.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import time
from typing import Any

import tornado
import tornado.web
from tornado.httputil import HTTPHeaders, ResponseStartLine, format_timestamp

from service.web.responses.fields import copy_fields

_logger = logging.getLogger(__name__)

_REPRESENTATION = ("Content-Length", "Content-Encoding", "Content-Language", "Content-Type", "Etag", "Last-Modified")
"""The fields of a handler's default headers that describe another content than that of an error response."""


def reject(handler: Any, error: BaseException) -> None:
    """Log an error and respond to it, unless the handler's ``authorize`` has sent a response."""
    handler._errors.log(error, sys.exc_info())
    if not handler._finished:
        send_error_response(handler, error)


def send_error_response(handler: Any, error: BaseException) -> None:
    """Respond to an error with the common status, challenge and JSON."""
    status, reason = (error.status_code, error.reason) if isinstance(error, tornado.web.HTTPError) else (500, None)
    errors = handler._errors
    response = errors.response_for(status, error)
    content = errors.content(response)
    fields = errors.header_fields(response, content)
    fields.update(handler._cors.headers_for(handler.request.headers.get("Origin")))
    _respond(handler, response.status, fields, content=content, reason=reason)


def respond_to_preflight(handler: Any) -> None:
    """Respond to a preflight request with the methods that the handler has."""
    fields = handler._cors.preflight_headers_for(handler.request.headers, handler._allowed_methods)
    _respond(handler, 204, HTTPHeaders(fields))


def _respond(
    handler: Any, status: int, fields: HTTPHeaders, *, content: dict[str, Any] | None = None, reason: str | None = None
) -> None:
    headers = _default_headers(handler)
    for name in fields:
        _remove(headers, name)
        for value in fields.get_list(name):
            headers.add(name, value)
    handler._complete_header_fields(status, headers)
    body = b""
    if content is not None and status >= 400:
        body = json.dumps(content).encode()
        headers["Content-Type"] = "application/json; charset=UTF-8"
    if status >= 200 and status not in {204, 304}:
        headers["Content-Length"] = str(len(body))
    _send(handler, status, headers, body, reason=reason)


def _default_headers(handler: Any) -> HTTPHeaders:
    """Return the header fields of every response, and those that the handler's ``set_default_headers`` has set."""
    own: HTTPHeaders | None = handler._default_headers
    headers = HTTPHeaders() if own is None else copy_fields(own)
    for name in _REPRESENTATION:
        _remove(headers, name)
    headers["Date"] = format_timestamp(time.time())
    headers["X-Content-Type-Options"] = "nosniff"
    return headers


def _remove(headers: HTTPHeaders, name: str) -> None:
    if name in headers:
        del headers[name]


def _send(handler: Any, status: int, headers: HTTPHeaders, body: bytes, *, reason: str | None) -> None:
    """Write a response, log it, and end the request."""
    request, connection = handler.request, handler.request.connection
    request.method = handler._original_method or request.method
    tornado.web.RequestHandler.set_status(handler, status, reason)  # for the request log
    # Tornado calls these two while a streamed body is still arriving.
    handler.on_connection_close = handler.data_received = lambda *_: None
    connection.set_close_callback(None)
    if not handler._headers_written:
        start_line = ResponseStartLine("HTTP/1.1", status, handler._reason)
        connection.write_headers(start_line, headers, b"" if request.method == "HEAD" else body)
    handler._headers_written = handler._finished = True
    with contextlib.suppress(tornado.httputil.HTTPOutputError):  # the handler had begun another response
        connection.finish()
    try:
        handler.application.log_request(handler)
    except Exception:
        _logger.exception("the request log failed")
    tornado.web.RequestHandler._break_cycles(handler)
