"""The access log: one line for each request, without headers, body and query."""

from __future__ import annotations

import logging

import tornado.web

_logger = logging.getLogger("service.access")


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Log a finished request, without the query, which may contain a token."""
    request = handler.request
    fields = {
        "method": request.method,
        "path": request.path,
        "status": tornado.web.RequestHandler.get_status(handler),  # a handler may override it
        "duration_ms": round(1000 * request.request_time(), 1),
        "remote_ip": request.remote_ip,
    }
    _logger.info("%(method)s %(path)s %(status)d %(duration_ms).1fms %(remote_ip)s", fields, extra=fields)
