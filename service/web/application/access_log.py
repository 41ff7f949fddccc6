"""One log line for each request: no header, no body, and the path without its query."""

from __future__ import annotations

import logging

import tornado.web

_logger = logging.getLogger("service.access")


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Write the line of a finished request; a query, where tokens and names end up, is never in it."""
    request = handler.request
    facts = {
        "method": request.method,
        "path": request.path,
        "status": handler.get_status(),
        "duration_ms": round(1000 * request.request_time(), 1),
        "remote_ip": request.remote_ip,
    }
    _logger.info("%(method)s %(path)s %(status)d %(duration_ms).1fms %(remote_ip)s", facts, extra=facts)
