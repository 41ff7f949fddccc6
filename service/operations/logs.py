"""Configures logging: an event is a fixed message and its fields, without tokens and secrets."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS, merge_record_extra
from pythonjsonlogger.json import JsonFormatter

from service.operations.access_log import BatchingHandler, format_as_json, format_as_text
from service.text import escape_unprintable

_JSON_NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}
_SECRET_FIELDS = frozenset({"admin_token", "authorization", "client_secret", "cookie", "password", "secret", "token"})
_REJECTED_REQUESTS = ("Malformed HTTP message", "Timeout reading body", "Unsatisfiable read")
_QUOTED_CHARACTERS = frozenset(' ="')


class _TextFormatter(logging.Formatter):
    """Appends the fields of an event to its message, as ``key=value``."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name of the base class
        """Return the line, before the traceback if there is one."""
        fields = merge_record_extra(record, {}, RESERVED_ATTRS)
        shown = [
            f"{name}={_quote(value)}" for name, value in fields.items() if f"%({name})" not in str(record.msg)
        ]  # a field that the message contains is not repeated
        return " ".join([escape_unprintable(super().formatMessage(record)), *shown])

    def formatException(self, ei: Any) -> str:  # noqa: N802  # as above
        """Return the traceback, indented so that no line of its message looks like another event."""
        return _indent(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802  # as above
        """Return the stack in the same form."""
        return _indent(super().formatStack(stack_info))


def configure_logging(*, log_format: str, log_level: str) -> BatchingHandler:
    """Log to standard error, and return the handler.

    Args:
        log_format: ``text``, or ``json`` with one object a line.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    formatter: logging.Formatter
    if log_format == "json":
        formatter = JsonFormatter("{asctime}{levelname}{name}{message}", style="{", rename_fields=_JSON_NAMES)
    else:
        formatter = _TextFormatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    handler = BatchingHandler(
        sys.stderr,
        formatter=formatter,
        filters=[_hide_secrets],
        format_response=format_as_json if log_format == "json" else format_as_text,
    )
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("tornado.general").addFilter(_without_rejected_requests)
    # At DEBUG, Tornado's client logs every header that it sends, such as our client credentials.
    logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)
    return handler


def _indent(text: str) -> str:
    return "\n".join(f"    {escape_unprintable(line)}" for line in text.split("\n"))


def _quote(value: object) -> str:
    """Return the value of a field, quoted if needed: a client's value must not look like a further field or line."""
    text = str(value)
    if text and text.isprintable() and _QUOTED_CHARACTERS.isdisjoint(text):
        return text
    return json.dumps(text)


def _hide_secrets(record: logging.LogRecord) -> bool:
    """Replace the fields that contain credentials, in both formats."""
    for name in record.__dict__.keys() & _SECRET_FIELDS:
        setattr(record, name, "(hidden)")
    return True


def _without_rejected_requests(record: logging.LogRecord) -> bool:
    """Drop Tornado's line for each request that it cannot read, which quotes it and can be repeated without limit.

    The server logs these requests itself.
    """
    return not str(record.msg).startswith(_REJECTED_REQUESTS)
