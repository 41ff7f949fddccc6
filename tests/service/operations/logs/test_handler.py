from __future__ import annotations

import asyncio
import io
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TextIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.operations.logs import handler as handlers
from service.operations.logs.configuration import configure_logging
from service.operations.logs.handler import BatchingHandler
from service.web.application.access_log import log_response

FIELDS: dict[str, Any] = {
    "method": "GET",
    "path": "/things",
    "status": 200,
    "duration_ms": 1.5,
    "remote_ip": "127.0.0.1",
}


class Written(io.StringIO):
    """A stream that notes each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


@pytest.fixture
def written() -> Written:
    return Written()


def _configure(stream: TextIO, log_format: str = "text") -> BatchingHandler:
    """Make our handler the only one, which a fixture cannot: pytest adds its own before the test runs."""
    handler = configure_logging(log_format=log_format, log_level="info")
    handler.setStream(stream)
    return handler


@pytest.mark.parametrize("log_format", ["text", "json"])
@settings(deadline=None)
@given(path=st.text(st.characters()), duration=st.floats(0, 1e6).map(lambda value: round(value, 1)))
def test_a_line_is_the_one_that_a_record_would_have(log_format: str, path: str, duration: float) -> None:
    fields = FIELDS | {"path": path, "duration_ms": duration, "request_id": "abc"}
    stream = io.StringIO()
    handler = _configure(stream, log_format)
    log_response(fields)
    handler._pending.append((1_700_000_000.25, fields))
    handler.flush()
    record, batched = stream.getvalue().splitlines()
    start = 0 if log_format == "text" else len('{"time": "')
    end = start + len("2023-11-14T22:13:20.250Z")
    assert "2023-11-14T22:13:20.250Z" == batched[start:end]
    assert (record[:start], record[end:]) == (batched[:start], batched[end:])


@pytest.mark.gen_test
async def test_lines_are_written_together_after_the_delay(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = _configure(written)
    monkeypatch.setattr(handlers, "MAX_DELAY", 0.01)
    for _ in range(3):
        handler.log_response(FIELDS)
    assert [] == written.writes
    while not written.writes:  # noqa: ASYNC110  # the handler has no event for a write
        await asyncio.sleep(0.005)
    (text,) = written.writes
    assert ["GET /things 200 1.5ms 127.0.0.1"] * 3 == [
        line.partition(" INFO    service.access: ")[2] for line in text.splitlines()
    ]


@pytest.mark.gen_test
async def test_the_line_of_an_error_is_written_at_once(written: Written) -> None:
    handler = _configure(written)
    handler.log_response(FIELDS)
    handler.log_response(FIELDS | {"status": 401})
    assert [200, 401] == [int(line.split()[5]) for line in written.getvalue().splitlines()]


@pytest.mark.gen_test
async def test_another_record_is_written_at_once_and_after_the_pending_lines(written: Written) -> None:
    handler = _configure(written)
    handler.log_response(FIELDS)
    logging.getLogger("service").warning("watch out")
    first, second = written.getvalue().splitlines()
    assert (True, True) == (first.endswith("127.0.0.1"), second.endswith("watch out"))


@pytest.mark.gen_test
async def test_shutdown_of_logging_writes_the_pending_lines(written: Written) -> None:
    handler = _configure(written)
    handler.log_response(FIELDS)
    logging.shutdown([lambda: handler])
    assert 1 == len(written.getvalue().splitlines())


@pytest.mark.gen_test
async def test_the_time_of_a_line_is_that_of_its_response(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = _configure(written)
    for now in (1_700_000_000.25, 1_700_000_000.5, 1_700_000_001.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        handler.log_response(FIELDS)
    handler.flush()
    times = [line.partition(" ")[0].rpartition(":")[2] for line in written.getvalue().splitlines()]
    assert ["20.250Z", "20.500Z", "21.000Z"] == times


@pytest.mark.gen_test
async def test_no_line_of_several_threads_is_lost(written: Written) -> None:
    handler = _configure(written)

    def log() -> None:
        for _ in range(2000):
            logging.getLogger("service").info("event")

    thread = threading.Thread(target=log)
    thread.start()
    for _ in range(2000):
        handler.log_response(FIELDS)
    thread.join()
    handler.flush()
    assert 4000 == len(written.getvalue().splitlines())


class Collector(logging.Handler):
    """A handler of the user's program."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.mark.parametrize("name", [None, "service", "service.access"])
@pytest.mark.gen_test
async def test_a_further_handler_receives_each_response_as_a_record(name: str | None, written: Written) -> None:
    handler = _configure(written)
    collector = Collector()
    logger = logging.getLogger(name)
    logger.addHandler(collector)
    try:
        handler.log_response(FIELDS)
    finally:
        logger.removeHandler(collector)
    (record,) = collector.records
    assert ("service.access", "/things") == (record.name, vars(record)["path"])
    assert 1 == len(written.getvalue().splitlines())


def _add_filter(handler: BatchingHandler) -> None:
    logging.getLogger("service.access").addFilter(lambda record: "hidden" not in vars(record)["path"])


def _add_filter_to_handler(handler: BatchingHandler) -> None:
    handler.addFilter(lambda record: "hidden" not in vars(record)["path"])


def _set_level_of_handler(handler: BatchingHandler) -> None:
    handler.setLevel(logging.WARNING)


def _stop_propagation(handler: BatchingHandler) -> None:
    logging.getLogger("service.access").propagate = False


@pytest.mark.parametrize("change", [_add_filter, _add_filter_to_handler, _set_level_of_handler, _stop_propagation])
@pytest.mark.gen_test
async def test_a_changed_configuration_has_an_effect(
    change: Callable[[BatchingHandler], None], written: Written
) -> None:
    handler = _configure(written)
    change(handler)
    handler.log_response(FIELDS | {"path": "/hidden"})
    handler.flush()
    assert "" == written.getvalue()


@pytest.mark.gen_test
async def test_another_formatter_and_record_factory_have_an_effect(written: Written) -> None:
    handler = _configure(written)
    handler.setFormatter(logging.Formatter("own: %(message)s"))
    handler.log_response(FIELDS)
    assert written.getvalue().startswith("own: GET /things")
    handler = _configure(written)

    def make(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = logging.LogRecord(*args, **kwargs)
        record.trace_id = "abc"
        return record

    logging.setLogRecordFactory(make)
    handler.log_response(FIELDS)
    assert written.getvalue().endswith("127.0.0.1 trace_id=abc\n")


class Unprintable:
    """A value of a handler whose ``str`` fails."""

    def __str__(self) -> str:
        raise RuntimeError("sesame")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_record_that_cannot_be_formatted_is_a_line_without_its_arguments(
    log_format: str, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    _configure(written, log_format)
    logging.getLogger("handlers").warning("%d things", "sesame")
    (line,) = written.getvalue().splitlines()
    assert "a log record cannot be formatted" in line
    assert "handlers" in line
    assert "test_handler.py" in line
    assert "sesame" not in line + capsys.readouterr().err


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_value_that_cannot_be_shown_is_shown_by_its_type(log_format: str, written: Written) -> None:
    _configure(written, log_format)
    logging.getLogger("handlers").warning("thing", extra={"value": Unprintable()})
    assert "(Unprintable)" in written.getvalue()


class Broken(io.StringIO):
    """A stream that fails."""

    def write(self, text: str) -> int:  # noqa: ARG002  # the signature of the base class
        raise BrokenPipeError


@pytest.mark.gen_test
async def test_lines_that_cannot_be_written_raise_nothing() -> None:
    handler = _configure(Broken())
    handler.log_response(FIELDS | {"status": 500})
    logging.getLogger("handlers").warning("thing")
    handler.flush()
