"""The two formats of log lines; a value cannot look like another line, another field or an escape sequence."""

from __future__ import annotations

import functools
import json
import logging
import re
from typing import Any, Protocol

from service.operations.logs.fields import MAX_TEXT, as_text, cut, fields_of, format_time, texts_to_json, to_json
from service.text import escape_unprintable

_FIELD = re.compile(r"%\((\w+)\)")
_QUOTED_CHARACTERS = frozenset(' ="')


class LineFormatter(Protocol):
    """Formats a log record, and an event for which there is no record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record; in text, a traceback follows in lines of its own."""

    def format_event(
        self, logger: str, level: str, message: str, fields: dict[str, Any], *, created: float, shown: str
    ) -> str:
        """Return the line that a record with these values would have.

        Args:
            fields: What the record would have as ``extra``.
            created: Seconds since the epoch.
            shown: The message before its fields are inserted; a field that it contains is not repeated.
        """


class TextFormatter(logging.Formatter):
    """Formats a line as text: time, level, logger, message, and the fields as ``key=value``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and a traceback in indented lines, none of which looks like another event."""
        fields = fields_of(record)
        line = self.format_event(
            record.name, record.levelname, record.getMessage(), fields, created=record.created, shown=str(record.msg)
        )
        exception = self.formatException(record.exc_info) if record.exc_info else ""
        stack = self.formatStack(record.stack_info) if record.stack_info else ""
        return "\n".join([line, *(_indent(text) for text in (exception, stack) if text)])

    def format_event(
        self, logger: str, level: str, message: str, fields: dict[str, Any], *, created: float, shown: str
    ) -> str:
        """Return the line of an event."""
        start = escape_unprintable(f"{format_time(created)} {level:7} {logger}: {cut(message)}")
        names = _names_in(shown)
        return " ".join([start, *[f"{_quote(n)}={_quote(value)}" for n, value in fields.items() if n not in names]])


class JSONFormatter(logging.Formatter):
    """Formats a line as a JSON object; a traceback is one of its values."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line = self.format_event(
            record.name, record.levelname, record.getMessage(), fields_of(record), created=record.created, shown=""
        )
        traceback = {}
        if record.exc_info:
            traceback["exc_info"] = self.formatException(record.exc_info)
        if record.stack_info:
            traceback["stack_info"] = self.formatStack(record.stack_info)
        # It is not cut, since its last lines are those that matter.
        return f"{line[:-1]}, {texts_to_json(traceback)[1:]}" if traceback else line

    def format_event(
        self,
        logger: str,
        level: str,
        message: str,
        fields: dict[str, Any],
        *,
        created: float,
        shown: str,  # noqa: ARG002  # the message is for people, and the fields are for programs
    ) -> str:
        """Return the line of an event."""
        start = {"time": format_time(created), "level": level, "logger": logger, "message": message}
        return to_json(start | fields | start)  # no field replaces one of these, and they come first


@functools.lru_cache(maxsize=512)  # the messages are fixed texts, and a few of them are nearly all lines
def _names_in(message: str) -> frozenset[str]:
    """Return the fields that a message contains."""
    return frozenset(_FIELD.findall(message))


def _indent(text: str) -> str:
    return "\n".join(f"    {escape_unprintable(line)}" for line in text.split("\n"))


def _quote(value: object) -> str:
    """Return the value of a field, quoted if needed: a client's value must not look like a further field or line."""
    if type(value) is str and len(value) <= MAX_TEXT and value.isalnum():
        return value
    text = as_text(value)
    if text and text.isprintable() and _QUOTED_CHARACTERS.isdisjoint(text):
        return text
    return json.dumps(text)
