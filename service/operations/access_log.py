"""Writes the access log in batches, since a log record and a write for each request would cost half as much again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from service.text import escape_unprintable
from service.web.application.application import ACCESS_MESSAGE, access_logger, log_response

MAX_DELAY = 0.2
"""Seconds until a line is written; a crash loses the lines of this time, and at most one batch."""
BATCH_SIZE = 4096
"""Bytes that are written at once: a pipe keeps as many together (``PIPE_BUF``), so no line of two processes mixes."""

FormatResponse = Callable[[str, Mapping[str, Any]], str]
"""Returns the line of the access log for a time and the fields of a response."""


def format_as_text(asctime: str, fields: Mapping[str, Any]) -> str:
    """Return the same line as ``logging`` does in the text format."""
    return escape_unprintable(f"{asctime} INFO    {access_logger.name}: {ACCESS_MESSAGE % fields}")


def format_as_json(asctime: str, fields: Mapping[str, Any]) -> str:
    """Return the same line as ``logging`` does in the JSON format."""
    start = {"time": asctime, "level": "INFO", "logger": access_logger.name, "message": ACCESS_MESSAGE % fields}
    return json.dumps({**start, **fields})


class BatchingHandler(logging.StreamHandler[TextIO]):
    """The log handler of the program, which also writes the access log.

    Every other record is written at once, after the pending lines of the access log, so that the lines are in order.

    Args:
        format_response: Returns the line that ``formatter`` would return for a response.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        formatter: logging.Formatter,
        filters: list[Callable[[logging.LogRecord], bool]],
        format_response: FormatResponse,
    ) -> None:
        super().__init__(stream)
        self.setFormatter(formatter)
        for each in filters:
            self.addFilter(each)
        self._configuration = (formatter, filters)
        self._format_response = format_response
        self._pending: deque[str] = deque()  # its methods are atomic: a thread that logs loses no line of the loop
        self._size = 0
        self._second, self._date = 0, ""

    def log_response(self, fields: Mapping[str, Any]) -> None:
        """Write a line of the access log within :data:`MAX_DELAY` seconds, or at once if the status is an error."""
        if not self._is_only_receiver():
            log_response(fields)
            return
        line = f"{self._format_response(self._asctime(), fields)}\n"
        size = len(line) if line.isascii() else len(line.encode(errors="backslashreplace"))
        if self._size + size > BATCH_SIZE:
            self.flush()
        if not self._pending:
            asyncio.get_running_loop().call_later(MAX_DELAY, self.flush)
        self._pending.append(line)
        self._size += size
        if fields["status"] >= 400:
            self.flush()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record at once."""
        self._write_pending()
        super().emit(record)

    def flush(self) -> None:
        """Write the pending lines; ``logging`` calls this at the end of the program, too."""
        self._write_pending()
        super().flush()

    def _write_pending(self) -> None:
        with self.lock or contextlib.nullcontext():
            lines = [self._pending.popleft() for _ in range(len(self._pending))]
            self._size = 0
            if not lines:
                return
            try:
                self.stream.write("".join(lines))
            except Exception:  # noqa: BLE001  # as logging does for a record
                self.handleError(logging.makeLogRecord({"msg": f"{len(lines)} lines of the access log"}))

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

    def _asctime(self) -> str:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._date},{int(1000 * (now - second)):03d}"
