"""The program with its workers, as an operator sees them from outside."""

from __future__ import annotations

import contextlib
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from programs import LISTENING

LIMIT_S = 60.0
"""Seconds for a condition; a busy machine takes several to start a worker."""


class Supervised:
    """A program that was started with ``start``; its log is read all the time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        until(lambda: self._announced() or process.poll() is not None, lambda: self.log)
        announced = self._announced()
        assert announced, self.log
        self.url = announced[1]
        self.port = int(self.url.rsplit(":", 1)[1])

    @property
    def log(self) -> str:
        """What the program has logged."""
        return "".join(self._lines)

    def workers(self) -> set[int]:
        """Return the IDs of the worker processes."""
        return workers_of(self.process.pid)

    def wait_for_workers(self, count: int, *, other_than: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]  # never changed
        """Wait until there are so many workers, none of them among those given, and return them."""
        until(lambda: len(self.workers()) == count and not self.workers() & other_than)
        return self.workers()

    def wait_for_log(self, text: str) -> None:
        """Wait until a text is in the log."""
        until(lambda: text in self.log, lambda: self.log)

    def signal(self, number: int) -> None:
        """Send a signal to the supervisor."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        code = self.process.wait(LIMIT_S)
        self._reader.join(LIMIT_S)
        return code

    def _announced(self) -> re.Match[str] | None:
        return re.search(LISTENING, self.log, re.MULTILINE)

    def _read(self) -> None:
        assert self.process.stderr is not None
        with contextlib.suppress(ValueError):  # the test has ended
            self._lines.extend(iter(self.process.stderr.readline, ""))


def until(holds: Callable[[], object], describe: Callable[[], object] = lambda: "timed out") -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, describe()
        time.sleep(0.02)


def workers_of(supervisor: int) -> set[int]:
    """Return the process IDs of the workers, without the helpers of multiprocessing."""
    with contextlib.suppress(OSError):  # it has ended
        children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text("ascii").split()
        return {int(pid) for pid in children if _is_worker(pid)}
    return set()


def _is_worker(pid: str) -> bool:
    with contextlib.suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False
