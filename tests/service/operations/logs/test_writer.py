from __future__ import annotations

import contextlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from service.operations.logs import writer as writers
from service.operations.logs.writer import WRITE_SIZE, LogWriter, writer_for


def _describe(count: int) -> str:
    return f"dropped {count}\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    readable, writable = os.pipe()
    yield readable, writable
    for descriptor in (readable, writable):
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _read(descriptor: int, *, until: Callable[[bytes], bool]) -> bytes:
    data = b""
    while not until(data):
        data += os.read(descriptor, 65536)
    return data


def test_lines_are_written_in_their_order(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1], describe_dropped=_describe)
    for number in range(100):
        writer.write([f"line {number}\n", "é\udcff\n"])
    assert writer.flush(10)
    lines = os.read(pipe[0], 65536).decode().splitlines()
    assert [f"line {number}" for number in range(100)] == lines[::2]
    assert ["é\\udcff"] * 100 == lines[1::2]


def test_a_write_has_whole_lines_and_at_most_as_many_bytes_as_a_pipe_keeps_together(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def write(_descriptor: int, data: bytes) -> int:
        written.append(data)
        return len(data)

    monkeypatch.setattr(os, "write", write)
    writer = LogWriter(pipe[1], describe_dropped=_describe)
    writer.write(f"/{'é' * (length % 100)}\n" for length in range(1000))
    writer.write(["x" * 10_000 + "\n"])
    assert writer.flush(10)
    assert 1001 == b"".join(written).count(b"\n")
    assert len(written) < 100
    assert all(data.endswith(b"\n") for data in written)
    assert [10_001] == [len(data) for data in written if len(data) > WRITE_SIZE]


def test_a_stalled_reader_blocks_no_caller_and_learns_what_was_dropped(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1], describe_dropped=_describe, max_queued=100_000)
    begun = time.monotonic()
    for _ in range(1000):
        writer.write(["x" * 999 + "\n"])  # a megabyte, of which a pipe holds 64 KiB
    assert not writer.flush(0.01)
    assert time.monotonic() - begun < 10
    text = _read(pipe[0], until=lambda data: b"dropped" in data and data.endswith(b"\n")).decode()
    *lines, last = text.splitlines()
    assert {"x" * 999} == set(lines)
    assert f"dropped {1000 - len(lines)}" == last
    assert writer.flush(10)


def test_a_reader_that_has_exited_raises_nothing(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1], describe_dropped=_describe)
    os.close(pipe[0])
    writer.write(["line\n"])
    assert writer.flush(10)


def test_a_descriptor_that_is_not_blocking_loses_nothing(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    writer = LogWriter(pipe[1], describe_dropped=_describe)
    writer.write(["x" * 999 + "\n"] * 500)
    assert 500 == _read(pipe[0], until=lambda data: data.count(b"\n") == 500).count(b"\n")


def test_a_forked_child_writes_without_the_thread(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1], describe_dropped=_describe)
    writer._write_directly()
    writer.write(["line\n"])
    assert b"line\n" == os.read(pipe[0], 100)
    assert writer.flush()


def test_a_descriptor_has_one_writer_and_a_stream_in_memory_has_none(pipe: tuple[int, int]) -> None:
    assert writer_for(io.StringIO(), describe_dropped=_describe) is None
    with open(os.dup(pipe[1]), "w", encoding="utf-8") as stream:  # noqa: PTH123  # a descriptor has no path
        first = writer_for(stream, describe_dropped=_describe)
        assert first is not None
        assert first is writer_for(stream, describe_dropped=_describe)
        del writers._writers[stream.fileno()]
    assert "log writer" in {thread.name for thread in threading.enumerate()}
