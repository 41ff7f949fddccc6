"""Real Redis and memcached servers, started from what is installed, on a free port, for the time of a test."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

_COMMANDS = {
    "redis": ["redis-server", "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port"],
    "memcached": [
        "memcached",
        "-l",
        "127.0.0.1",
        "-u",
        "nobody",  # plain-words: the Unix user that memcached runs as
        "-p",
    ],
}


@dataclass
class CacheServer:
    """A server that can be stopped, started again on its port, and made to hang."""

    kind: str
    port: int
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"{self.kind}://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen([*_COMMANDS[self.kind], str(self.port)], stdout=subprocess.DEVNULL)
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.01)
        raise TimeoutError(f"{self.kind} did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@contextlib.contextmanager
def running(kind: str) -> Iterator[CacheServer]:
    if shutil.which(_COMMANDS[kind][0]) is None:
        pytest.skip(f"{_COMMANDS[kind][0]} is not installed; Debian has it")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = CacheServer(kind=kind, port=port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
