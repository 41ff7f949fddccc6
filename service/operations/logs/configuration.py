"""Configures logging: an event is a fixed message and its fields, without tokens and secrets."""

from __future__ import annotations

import logging
import sys

from service.operations.logs.formats import JSONFormatter, TextFormatter
from service.operations.logs.handler import BatchingHandler
from service.operations.logs.uncaught import log_uncaught
from service.tracing.log_fields import add_request_fields

_REJECTED_REQUESTS = ("Malformed HTTP message", "Timeout reading body", "Unsatisfiable read")


def configure_logging(*, log_format: str, log_level: str) -> BatchingHandler:
    """Log to standard error, also warnings and exceptions that nothing catches, and return the handler.

    Args:
        log_format: ``text``, or ``json`` with one object a line.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = BatchingHandler(
        sys.stderr,
        formatter=JSONFormatter() if log_format == "json" else TextFormatter(),
        filters=[add_request_fields],
    )
    logging.basicConfig(level=log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("tornado.general").addFilter(_without_rejected_requests)
    # At DEBUG, Tornado's client logs every header that it sends, such as our client credentials.
    logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)
    log_uncaught()
    return handler


def announce(url: str) -> None:
    """Write the line that tells where the program listens, whatever the level of the log is."""
    handler = _handler()
    message = f"listening on {url}"
    if handler is not None and isinstance(handler.formatter, JSONFormatter):
        handler.log_event(message, fields={"url": url})
    elif handler is not None:
        handler.write_text(message)
    else:
        print(message, file=sys.stderr, flush=True)


def report_start_error(problem: str) -> None:
    """Write why the program does not start: one line for each problem, as JSON if the log is."""
    handler = _handler()
    if handler is not None and isinstance(handler.formatter, JSONFormatter):
        for line in problem.splitlines():
            handler.log_event(line, level="CRITICAL")
        handler.flush()
    else:
        print(problem, file=sys.stderr)


def _handler() -> BatchingHandler | None:
    """Return the handler of the program; None before :func:`configure_logging`."""
    return next((each for each in logging.getLogger().handlers if isinstance(each, BatchingHandler)), None)


def _without_rejected_requests(record: logging.LogRecord) -> bool:
    """Drop Tornado's line for each request that it cannot read, which quotes it and can be repeated without limit.

    The server logs these requests itself.
    """
    return not str(record.msg).startswith(_REJECTED_REQUESTS)
