"""Writes the access log in batches, since a log record and a write for each request would cost half as much again."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TextIO

from service.text import escape_unprintable
from service.web.application.application import ACCESS_MESSAGE, access_logger, log_response

MAX_DELAY = 0.2
"""Seconds until a line is written; a crash loses the lines of this time, at most :data:`MAX_PENDING`."""
MAX_PENDING = 100
"""Responses."""
WRITE_SIZE = 4096
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
        # Its methods are atomic: a thread that logs loses no response of the loop.
        self._pending: deque[tuple[float, Mapping[str, Any]]] = deque()
        self._second, self._date = 0, ""

    def log_response(self, fields: Mapping[str, Any]) -> None:
        """Write a line of the access log within :data:`MAX_DELAY` seconds, or at once if the status is an error.

        The lines are formatted together, when the code for it is in the caches of the processor: a fifth of the time.
        """
        if not self._pending:
            if not self._is_only_receiver():  # once a batch
                log_response(fields)
                return
            asyncio.get_running_loop().call_later(MAX_DELAY, self.flush)
        self._pending.append((time.time(), fields))
        if fields["status"] >= 400 or len(self._pending) >= MAX_PENDING:
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
            responses = [self._pending.popleft() for _ in range(len(self._pending))]
            try:
                for text in _join(self._format_response(self._asctime(now), fields) for now, fields in responses):
                    self.stream.write(text)
            except Exception:  # noqa: BLE001  # as logging does for a record
                self.handleError(logging.makeLogRecord({"msg": f"{len(responses)} lines of the access log"}))

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

    def _asctime(self, now: float) -> str:
        second = int(now)
        if second != self._second:
            self._second, self._date = second, time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(second))
        return f"{self._date},{int(1000 * (now - second)):03d}"


def _join(lines: Iterable[str]) -> Iterator[str]:
    """Yield texts of whole lines that have at most :data:`WRITE_SIZE` bytes, unless one line alone has more."""
    text, size = "", 0
    for each in lines:
        line = f"{each}\n"
        added = len(line) if line.isascii() else len(line.encode(errors="backslashreplace"))
        if text and size + added > WRITE_SIZE:
            yield text
            text, size = "", 0
        text += line
        size += added
    if text:
        yield text
