"""Real Redis and memcached servers, started from what is installed, on a free port, for the time of a test."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from certificates import Authority

from service.caches.shared import SharedCache

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
    command: list[str]
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def url(self) -> str:
        return f"{self.kind}://{self.address}"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
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

    def cli(self, *command: str) -> str:
        """Send a command to a Redis server, and return the reply as text."""
        tool = ["redis-cli", "-p", str(self.port), *command]
        return subprocess.run(tool, capture_output=True, text=True, check=True).stdout.strip()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@contextlib.contextmanager
def _running(server: CacheServer) -> Iterator[CacheServer]:
    if shutil.which(server.command[0]) is None:
        pytest.skip(f"{server.command[0]} is not installed; Debian has it")
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def running(kind: str, *options: str) -> Iterator[CacheServer]:
    """Run a server with further options."""
    port = _free_port()
    with _running(CacheServer(kind=kind, port=port, command=[*_COMMANDS[kind], str(port), *options])) as server:
        yield server


def tls_lines(authority: Authority, *names: str) -> list[str]:
    """Return the lines of a configuration for a certificate with these names."""
    own = authority.issue(*names)
    return [f"tls-cert-file {own.file}", f"tls-key-file {own.key_file}", f"tls-ca-cert-file {authority.file}"]


@contextlib.contextmanager
def redis_with_tls(authority: Authority, *options: str, names: Sequence[str] = ("localhost",)) -> Iterator[CacheServer]:
    """Run a Redis server that speaks TLS only, with a certificate for these names; it requires those of clients."""
    port = _free_port()
    tls = [part for line in tls_lines(authority, *names) for part in f"--{line}".split()]
    command = [*_COMMANDS["redis"], "0", "--tls-port", str(port), *tls, *options]
    with _running(CacheServer(kind="rediss", port=port, command=command)) as server:
        yield server


@contextlib.contextmanager
def sentinel(folder: Path, primary: CacheServer, *further: str, tls: Sequence[str] = ()) -> Iterator[CacheServer]:
    """Run a Redis Sentinel that knows a primary as ``main`` and replaces it after half a second.

    With TLS, it needs the lines for its certificate.
    """
    port = _free_port()
    lines = [
        *(["port 0", f"tls-port {port}", "tls-replication yes", *tls] if tls else [f"port {port}"]),
        "bind 127.0.0.1",
        f"dir {folder}",
        f"sentinel monitor main 127.0.0.1 {primary.port} 1",
        "sentinel down-after-milliseconds main 500",
        "sentinel failover-timeout main 3000",
        *further,
    ]
    configuration = folder / "sentinel.conf"
    configuration.write_text("\n".join(lines))
    command = ["redis-server", str(configuration), "--sentinel"]
    with _running(CacheServer(kind="redis+sentinel", port=port, command=command)) as server:
        yield server


@contextlib.contextmanager
def cluster(folder: Path, nodes: int) -> Iterator[list[CacheServer]]:
    """Run the nodes of a cluster, each with an equal part of the keys."""
    with contextlib.ExitStack() as stack:
        started = []
        for number in range(nodes):
            home = folder / f"node{number}"
            home.mkdir()
            options = ["--dir", str(home), "--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]
            options += ["--cluster-port", str(_free_port()), "--cluster-require-full-coverage", "no"]
            started.append(stack.enter_context(running("redis", *options)))
        size = 16384 // nodes
        for number, node in enumerate(started):
            last = 16383 if number == nodes - 1 else (number + 1) * size - 1
            node.cli("cluster", "addslotsrange", str(number * size), str(last))
        for node in started[1:]:
            bus = started[0].command[started[0].command.index("--cluster-port") + 1]
            node.cli("cluster", "meet", "127.0.0.1", str(started[0].port), bus)
        wait_for_cluster(started)
        yield started


def wait_for_cluster(nodes: list[CacheServer]) -> None:
    """Wait until each node knows that all keys have a node."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        infos = [node.cli("cluster", "info") for node in nodes]
        if all("cluster_state:ok" in info and "cluster_slots_assigned:16384" in info for info in infos):
            return
        time.sleep(0.02)
    raise TimeoutError("the nodes did not form a cluster")


async def responds(cache: SharedCache) -> bool:
    """Return whether a call that a request waits for reaches the server."""
    return await cache.add(f"probe:{time.monotonic_ns()}", seconds=1) is not None
