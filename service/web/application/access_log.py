"""The access log: one line for each response, without the query, which may contain a token."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from service.tokens.principal import Principal
from service.tracing.current import CURRENT_REQUEST, CurrentRequest
from service.tracing.log_fields import request_fields

if TYPE_CHECKING:  # the supervisor writes a log, and starts without Tornado
    import tornado.web

access_logger = logging.getLogger("service.access")
ACCESS_MESSAGE = "%(method)s %(path)s %(status)d %(duration_ms).1fms %(remote_ip)s"
AccessLog = Callable[[Mapping[str, Any]], None]
"""Receives the fields of each response.

They are ``method``, ``path``, ``status``, ``duration_ms``, ``remote_ip`` and ``request_id``; ``trace_id`` and
``span_id`` if there is a trace; ``subject`` and ``client_id`` if the setting ``log_principal`` is on.
"""
HEALTH_CHECKS = frozenset({"/healthz", "/readyz", "/livez"})
"""The paths whose successful responses are logged at DEBUG: a probe each second would be most of the log."""


def log_response(fields: Mapping[str, Any]) -> None:
    """Log a response as a record of ``service.access``."""
    access_logger.info(ACCESS_MESSAGE, fields, extra=fields)


def write_access_log(
    access_log: AccessLog, handler: tornado.web.RequestHandler, *, status: int, seconds: float, has_principal: bool
) -> None:
    """Write the line of a response, if its level is enabled.

    Args:
        access_log: Receives the fields.
        has_principal: Whether the line names the subject and the client.
    """
    request = handler.request
    current: CurrentRequest | None = vars(request).get(CURRENT_REQUEST)
    fields: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "status": status,
        "duration_ms": int(10_000 * seconds + 0.5) / 10,
        "remote_ip": request.remote_ip,
    }
    if current is not None:
        fields |= request_fields(current)
    if has_principal and isinstance(principal := vars(handler).get("_principal"), Principal):
        fields |= {"subject": principal.subject, "client_id": principal.client_id}
    if request.path in HEALTH_CHECKS and status < 400:
        access_logger.debug(ACCESS_MESSAGE, fields, extra=fields)
    else:
        access_log(fields)
