"""Log lines that hold no token: one for each request, and none of what others would write about it."""

from __future__ import annotations

import logging
import sys
from typing import Any

import tornado.web
from pythonjsonlogger.json import JsonFormatter

__all__ = ["configure_logging", "log_request"]

_access = logging.getLogger("service.access")


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Write the access-log line of a finished request: no header, no body, and the path without its query."""
    request = handler.request
    milliseconds = round(1000 * request.request_time(), 1)
    _access.info(
        "%s %s %d %.1fms %s",
        request.method,
        request.path,
        handler.get_status(),
        milliseconds,
        request.remote_ip,
        extra={
            "method": request.method,
            "path": request.path,
            "status": handler.get_status(),
            "duration_ms": milliseconds,
            "remote_ip": request.remote_ip,
        },
    )


def configure_logging(*, log_format: str, log_level: str) -> None:
    """Send everything to standard error.

    Args:
        log_format: ``text`` for people, ``json`` for collectors.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = logging.StreamHandler(sys.stderr)
    formatter: logging.Formatter
    if log_format == "json":
        formatter = JsonFormatter("{asctime}{levelname}{name}{message}", style="{", rename_fields=_JSON_NAMES)
    else:
        formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler.setFormatter(formatter)
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("tornado.general").addFilter(_without_malformed_message)
    # At this level Tornado's client logs every header it sends, our client authentication among them.
    logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)


_JSON_NAMES: dict[str, Any] = {"asctime": "time", "levelname": "level", "name": "logger"}


def _without_malformed_message(record: logging.LogRecord) -> bool:
    """Cut what Tornado quotes of a request that it cannot parse: the quote can be an Authorization field."""
    if isinstance(record.msg, str) and record.msg.startswith("Malformed HTTP message") and record.args:
        record.msg, record.args = "Malformed HTTP message from %s", (record.args[0],)  # type: ignore[index]  # a tuple
    return True
