from __future__ import annotations

import asyncio
import io
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TextIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.operations import access_log
from service.operations.logs import configure_logging
from service.operations.logs.handler import BatchingHandler
from service.web.application.access_log import log_response

FIELDS: dict[str, Any] = {
    "method": "GET",
    "path": "/things",
    "status": 200,
    "duration_ms": 1.5,
    "remote_ip": "127.0.0.1",
}


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root, general, access = (logging.getLogger(name) for name in (None, "tornado.general", "service.access"))
    before = root.handlers[:], root.level, general.filters[:]
    yield
    root.handlers[:], root.level, general.filters[:] = before
    access.handlers.clear()
    access.filters.clear()
    access.propagate = True
    logging.setLogRecordFactory(logging.LogRecord)


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
@given(path=st.text(st.characters(codec="utf-8")), duration=st.floats(0, 1e6).map(lambda value: round(value, 1)))
def test_a_line_is_the_one_that_a_record_would_have(log_format: str, path: str, duration: float) -> None:
    fields = FIELDS | {"path": path, "duration_ms": duration}
    stream = io.StringIO()
    handler = _configure(stream, log_format)
    log_response(fields)
    line = stream.getvalue().removesuffix("\n")
    record = logging.makeLogRecord({"created": 1_700_000_000.25, "msecs": 250.0})
    asctime = logging.Formatter().formatTime(record)
    start = 0 if log_format == "text" else len('{"time": "')
    assert f"{line[:start]}{asctime}{line[start + len(asctime) :]}" == handler._format_response(asctime, fields)


@pytest.mark.gen_test
async def test_lines_are_written_together_after_the_delay(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = _configure(written)
    monkeypatch.setattr(access_log, "MAX_DELAY", 0.01)
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
    assert [200, 401] == [int(line.split()[6]) for line in written.getvalue().splitlines()]


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
async def test_a_write_has_whole_lines_and_at_most_as_many_bytes_as_a_pipe_keeps_together(written: Written) -> None:
    handler = _configure(written)
    for length in range(1000):
        handler.log_response(FIELDS | {"path": f"/{'é' * (length % 100)}"})
    handler.flush()
    assert 1000 == len(written.getvalue().splitlines())
    assert len(written.writes) < 100
    assert all(len(text.encode()) <= WRITE_SIZE and text.endswith("\n") for text in written.writes)


@pytest.mark.gen_test
async def test_the_time_of_a_line_is_that_of_its_response(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = _configure(written)
    for now in (1_700_000_000.25, 1_700_000_000.5, 1_700_000_001.0):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        handler.log_response(FIELDS)
    handler.flush()
    times = [line.partition(" INFO")[0].rpartition(":")[2] for line in written.getvalue().splitlines()]
    assert ["20,250", "20,500", "21,000"] == times


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


class Broken(io.StringIO):
    """A pipe that no program reads any more."""

    def write(self, text: str) -> int:  # noqa: ARG002  # the signature of the base class
        raise BrokenPipeError


@pytest.mark.gen_test
async def test_lines_that_cannot_be_written_raise_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    handler = _configure(Broken())
    handler.log_response(FIELDS | {"status": 500})
    assert "Message: '1 lines of the access log'" in capsys.readouterr().err
