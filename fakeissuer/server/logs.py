"""One line a request on standard error, as text or as JSON: never a query, a header or a body."""

from __future__ import annotations

import json
import logging
from typing import Literal

from tornado.web import RequestHandler

_LogFormat = Literal["text", "json"]

logger = logging.getLogger("fakeissuer.access")


def log_request(handler: RequestHandler) -> None:
    """Log what was asked, without the query: a token or a secret may be in it.

    Looking at the control plane is of little interest: a console that is open does it every other second.
    """
    request = handler.request
    fields = {
        "method": request.method,
        "path": request.path,
        "status": handler.get_status(),
        "seconds": round(request.request_time(), 4),
    }
    is_control_read = request.method == "GET" and request.path.startswith("/_fake/")
    level = logging.DEBUG if is_control_read else logging.INFO
    logger.log(level, "%(method)s %(path)s %(status)s %(seconds)ss", fields, extra={"event": fields})


class JsonFormatter(logging.Formatter):
    """Each record as one JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = {"time": record.created, "level": record.levelname.lower(), "logger": record.name}
        event = getattr(record, "event", None)
        if not isinstance(event, dict):
            event = {"message": record.getMessage()}
        if record.exc_info:
            event = {**event, "exception": self.formatException(record.exc_info)}
        return json.dumps({**fields, **event})


class TextFormatter(logging.Formatter):
    """Each record as one line for people; what a client chose to send cannot start another."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return super().format(record).replace("\r", "\\r")


def without_quoted_requests(record: logging.LogRecord) -> bool:
    """Drop Tornado's line about a malformed request: it quotes the header, a bearer token included."""
    return not str(record.msg).startswith("Malformed HTTP")


def configure_logs(log_format: _LogFormat) -> None:
    """Send every log line of the process to standard error in this format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter("%(levelname)s %(message)s"))
    handler.addFilter(without_quoted_requests)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
