"""The cost of whole processes, by the number of their connections and by their own number."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from accounting import cpu_seconds, resident_megabytes
from tornado.websocket import WebSocketHandler

import fakeissuer
from service import BearerAuthMixin


class WebSocket(BearerAuthMixin, WebSocketHandler):
    """A WebSocket that a client keeps open."""

    def on_message(self, message: str | bytes) -> None:
        """Ignore messages."""


ROUTES = [(r"/socket", WebSocket)]
"""The routes of the processes that are measured from outside."""


@contextlib.contextmanager
def _service(issuer: str, *options: str) -> Iterator[tuple[str, int, int]]:
    """Serve in another process, and yield its host, port and process ID."""
    command = [sys.executable, "-m", "service", "--port", "0", "--issuer", issuer, "--log-level", "error", *options]
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = next(line for line in process.stderr if line.startswith("listening on ")).split()[-1]
        host, _, port = url.rpartition("/")[2].partition(":")
        try:
            yield host, int(port), process.pid
        finally:
            process.terminate()


def sockets_memory(count: float) -> float:
    """Return the megabytes that so many open WebSockets add to a process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2 * int(count) + 200)), hard))
    with (
        fakeissuer.running() as issuer,
        _service(issuer.issuer_url(), "--routes", "growth_of_processes:ROUTES") as (host, port, pid),
    ):
        request = (
            f"GET /socket HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        )
        with contextlib.ExitStack() as stack:
            before = 0.0
            for number in range(int(count) + 1):
                token = issuer.token(sub=f"user-{number}")
                connection = stack.enter_context(socket.create_connection((host, port)))
                connection.sendall(f"{request}Authorization: Bearer {token}\r\n\r\n".encode())
                assert connection.recv(65536).startswith(b"HTTP/1.1 101 ")
                before = before or resident_megabytes(pid)
            return resident_megabytes(pid) - before


def processes_cost(count: float) -> float:
    """Return the CPU time of a request with a known token, summed over so many processes."""
    with tempfile.TemporaryDirectory() as folder, fakeissuer.running() as issuer:
        tokens = Path(folder) / "tokens"
        tokens.write_text(issuer.token())
        with _service(issuer.issuer_url(), "--processes", str(int(count))) as (host, port, pid):
            script = Path(__file__).parent / "peers" / "requests.lua"
            command = ["wrk", "-t1", "-c32", "-d1s", "-s", str(script), f"http://{host}:{port}/api/whoami"]
            environment = os.environ | {"TOKENS": str(tokens)}
            best = math.inf
            for _ in range(4):  # in the first, each process also fetches the keys
                before = cpu_seconds(pid)
                done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
                requests = json.loads(done.stdout.splitlines()[-1])["requests"]
                best = min(best, (cpu_seconds(pid) - before) / requests)
    return 1e6 * best
