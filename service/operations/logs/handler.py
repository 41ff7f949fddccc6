"""The log handler of the program: writes the access log in batches, and every other record at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from service.operations.logs.formats import LineFormatter
from service.operations.logs.writer import FLUSH_TIMEOUT, writer_for
from service.web.application.access_log import ACCESS_MESSAGE, access_logger, log_response

MAX_DELAY = 0.2
"""Seconds until a line is written; a crash loses the lines of this time, at most :data:`MAX_PENDING`."""
MAX_PENDING = 100
"""Responses."""
_NAME = "service.operations.logs"


class BatchingHandler(logging.StreamHandler[TextIO]):
    """The log handler of the program, which also writes the access log.

    A record and a write for each response would cost more than the validation of its token. Every other record is
    written at once, after the pending lines of the access log, so that the lines are in order.

    Args:
        formatter: Formats the records and the lines of the access log.
        filters: Add the fields of the request to a record.
    """

    formatter: LineFormatter  # type: ignore[assignment]  # narrower than that of the base class

    def __init__(
        self,
        stream: TextIO,
        *,
        formatter: LineFormatter,
        filters: Iterable[Callable[[logging.LogRecord], bool]] = (),
    ) -> None:
        super().__init__(stream)
        self.formatter = formatter
        for each in filters:
            self.addFilter(each)
        self._configuration = (formatter, list(self.filters))
        self._line_formatter = formatter
        # Its methods are atomic: a thread that logs loses no response of the loop.
        self._pending: deque[tuple[float, Mapping[str, Any]]] = deque()
        self.setStream(stream)

    def setStream(self, stream: TextIO) -> TextIO | None:  # noqa: N802  # the name of the base class
        """Write to another stream."""
        previous = super().setStream(stream)
        self._writer = writer_for(stream, describe_dropped=self._describe_dropped)
        return previous

    def log_response(self, fields: Mapping[str, Any]) -> None:
        """Write a line of the access log within :data:`MAX_DELAY` seconds, or at once if the status is an error.

        The lines are formatted together, when the code for it is in the caches of the processor: a fifth of the time.
        """
        if not self._pending:
            if not self._is_only_receiver():  # once a batch
                log_response(fields)
                return
            asyncio.get_running_loop().call_later(MAX_DELAY, self._write_pending)
        self._pending.append((time.time(), fields))
        if fields["status"] >= 400 or len(self._pending) >= MAX_PENDING:
            self._write_pending()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record at once."""
        self._write_pending()
        try:
            self._write([self.format(record)])
        except Exception:  # noqa: BLE001  # as in the base class; the objects to format are not ours
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name of the base class
        """Write a line about a record that cannot be formatted, in place of the record and of a traceback."""
        fields = {"source": record.name, "place": f"{record.filename}:{record.lineno}"}
        self.log_event("a log record cannot be formatted", level="ERROR", fields=fields)

    def log_event(self, message: str, *, level: str = "INFO", fields: dict[str, Any] | None = None) -> None:
        """Write a line whatever the level of the loggers is."""
        with contextlib.suppress(Exception):  # there is no other place for an error of the log itself
            self._write([self._format_event(message, level=level, fields=fields or {})])

    def write_text(self, text: str) -> None:
        """Write a line as it is."""
        self._write_pending()
        self._write([text])

    def flush(self) -> None:
        """Write the pending lines, and wait for it; ``logging`` calls this at the end of the program, too."""
        self._write_pending()
        if self._writer is None:
            super().flush()
        else:
            self._writer.flush(FLUSH_TIMEOUT)

    def _write_pending(self) -> None:
        if not self._pending:
            return
        with self.lock or contextlib.nullcontext():
            responses = [self._pending.popleft() for _ in range(len(self._pending))]
            format_event, name = self._line_formatter.format_event, access_logger.name
            self._write(
                format_event(name, "INFO", ACCESS_MESSAGE % fields, dict(fields), created=created, shown=ACCESS_MESSAGE)
                for created, fields in responses
            )

    def _write(self, lines: Iterable[str]) -> None:
        ended = (f"{line}\n" for line in lines)
        if self._writer is not None:
            self._writer.write(ended)
            return
        with self.lock or contextlib.nullcontext(), contextlib.suppress(OSError):
            self.stream.write("".join(ended))

    def _describe_dropped(self, count: int) -> str:
        return f"{self._format_event('log lines dropped', level='WARNING', fields={'count': count})}\n"

    def _format_event(self, message: str, *, level: str, fields: dict[str, Any]) -> str:
        return self._line_formatter.format_event(_NAME, level, message, fields, created=time.time(), shown=message)

    def _is_only_receiver(self) -> bool:
        """Return whether ``logging`` would do no more than write this line: a program may add handlers and fields."""
        logger: logging.Logger = access_logger
        if logger.filters or (self.formatter, self.filters) != self._configuration or self.level > logging.INFO:
            return False
        if logging.getLogRecordFactory() is not logging.LogRecord:
            return False
        while logger.parent is not None:
            if logger.handlers or not logger.propagate:
                return False
            logger = logger.parent
        return logger.handlers == [self]
