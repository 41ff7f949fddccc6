"""The ports of the servers that the benchmarks start."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


def wait_for_listener(port: int, process: subprocess.Popen[bytes], *, seconds: float) -> None:
    """Wait until a process listens on a port.

    Raises:
        RuntimeError: It has ended, or does not listen after so many seconds.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as connection:
            # While nothing listens on a port, the system may connect a client to itself.
            if connection.getsockname() != connection.getpeername():
                return
        time.sleep(0.05)
    raise RuntimeError(f"{process.args!r} does not listen on port {port}")
