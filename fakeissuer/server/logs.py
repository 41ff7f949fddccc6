"""Logs on standard error: one line for each request, as text or JSON, without query, headers and body."""

from __future__ import annotations

import json
import logging
from typing import Any, Literal

from tornado.web import RequestHandler

_LogFormat = Literal["text", "json"]

logger = logging.getLogger("fakeissuer.access")

_RECORD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def log_request(handler: RequestHandler) -> None:
    """Log a request without its query, which may contain a token or secret.

    Reads of the control plane are logged at debug level, because an open console polls it.
    """
    request = handler.request
    fields = {
        "method": request.method,
        "path": request.path,
        "status": handler.get_status(),
        "seconds": round(request.request_time(), 4),
    }
    is_control_read = request.method in {"GET", "HEAD"} and request.path.startswith("/_fake/")
    logger.log(logging.DEBUG if is_control_read else logging.INFO, "request handled", extra=fields)


class JsonFormatter(logging.Formatter):
    """Each record as one JSON object on one line, with its extra fields as members."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members = {
            "time": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra_fields(record),
        }
        if record.exc_info:
            members["exception"] = self.formatException(record.exc_info)
        return json.dumps(members, default=str)


class TextFormatter(logging.Formatter):
    """Each record as one line with its extra fields as ``name=value``; a client cannot inject line breaks."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name of the base class
        """Return the line without traceback."""
        fields = (f"{name}={value}" for name, value in _extra_fields(record).items())
        return _escape_unprintable(" ".join([super().formatMessage(record), *fields]))

    def formatException(self, ei: Any) -> str:  # noqa: N802  # as above
        """Return the traceback, indented so that no line of its message looks like another event."""
        lines = super().formatException(ei).split("\n")
        return "\n".join(f"    {_escape_unprintable(line)}" for line in lines)


def _escape_unprintable(text: str) -> str:
    """Return a text without characters that end a line, control a terminal or change the order of the others."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def _extra_fields(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _RECORD_ATTRIBUTES}


def without_quoted_requests(record: logging.LogRecord) -> bool:
    """Drop Tornado's message about a malformed request, which quotes its headers and so may contain a token."""
    return not str(record.msg).startswith("Malformed HTTP")


def configure_logs(log_format: _LogFormat) -> None:
    """Send all log records of the process to standard error in this format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter("%(levelname)s %(message)s"))
    handler.addFilter(without_quoted_requests)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
