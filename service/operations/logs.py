"""Configures logging, and keeps credentials out of the messages of other libraries."""

from __future__ import annotations

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

_JSON_NAMES = {"asctime": "time", "levelname": "level", "name": "logger"}


def configure_logging(*, log_format: str, log_level: str) -> None:
    """Log to standard error.

    Args:
        log_format: ``text``, or ``json`` with one object a line.
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
    # At DEBUG, Tornado's client logs every header that it sends, such as our client credentials.
    logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)


def _without_malformed_message(record: logging.LogRecord) -> bool:
    """Remove Tornado's quote of a request that it cannot parse, which may contain an Authorization header."""
    if isinstance(record.msg, str) and record.msg.startswith("Malformed HTTP message") and record.args:
        record.msg, record.args = "Malformed HTTP message from %s", (record.args[0],)  # type: ignore[index]  # a tuple
    return True
