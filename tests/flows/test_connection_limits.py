"""Clients that exhaust connections and descriptors: health checks are served, and the log stays short."""

from __future__ import annotations

import contextlib
import resource
import select
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import servers
from plain_http import send
from programs import Start, clean_environment, first_match, free_port, listening

import fakeissuer

_PIPELINED = b"GET /api/hello HTTP/1.1\r\nHost: a\r\n\r\n" * 200


@contextlib.contextmanager
def _service(log: Path, *, descriptors: int) -> Iterator[str]:
    """Start the service with so many descriptors, and yield its URL."""
    environment = clean_environment() | {
        "SERVICE_LOG_LEVEL": "warning",
        "OKTA_OAUTH2_ISSUER": "https://issuer.example/oauth2/default",
        "OKTA_OAUTH2_AUDIENCE": "api://default",
        "SERVICE_PORT": "0",
    }
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "service"],
            env=environment,
            stderr=stderr,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors)),  # noqa: PLW1509  # the child only sets a limit
        )
    try:
        while b"listening on" not in log.read_bytes():
            time.sleep(0.05)
        with log.open() as lines:
            yield first_match(lines, r"^listening on (\S+)$")
    finally:
        process.kill()
        process.wait()


class _Clients:
    """Connections that are opened again when the server closes them."""

    def __init__(self, url: str, count: int, *, sends: bytes = b"") -> None:
        self._address = (urlsplit(url).hostname, urlsplit(url).port)
        self._sends = sends
        self._selector = selectors.DefaultSelector()
        for _ in range(count):
            self._connect()

    def run(self, seconds: float) -> None:
        """Send, and never read."""
        end = time.monotonic() + seconds
        closed = 0
        while time.monotonic() < end:
            for key, _ in self._selector.select(0.02):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                try:
                    if not (client.send(self._sends) if self._sends else client.recv(1)):
                        raise ConnectionResetError
                except BlockingIOError:
                    continue
                except OSError:
                    self._selector.unregister(client)
                    client.close()
                    closed += 1
        for _ in range(closed):
            self._connect()

    def close(self) -> None:
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
        self._selector.close()

    def _connect(self) -> None:
        client = socket.socket()
        client.settimeout(0)
        client.connect_ex(self._address)
        self._selector.register(client, selectors.EVENT_WRITE if self._sends else selectors.EVENT_READ)


@pytest.mark.parametrize(
    ("descriptors", "count", "sends"),
    [(64, 60, _PIPELINED), (128, 250, b"")],
    ids=["pipelining clients that never read", "more idle clients than descriptors"],
)
def test_health_checks_are_served_and_the_log_stays_short(
    descriptors: int, count: int, sends: bytes, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with (
        _service(log, descriptors=descriptors) as url,
        contextlib.closing(_Clients(url, count, sends=sends)) as clients,
    ):
        begin = time.monotonic()
        times = []
        while time.monotonic() - begin < 12:
            clients.run(0.3)
            sent_at = time.monotonic()
            assert 200 == send(f"{url}/healthz").status
            times.append(time.monotonic() - sent_at)
        lines = len(log.read_text().splitlines())
        assert statistics.quantiles(times, n=10)[-1] < 1  # the tests of another process may delay one
        assert lines < 10 * (time.monotonic() - begin)


_SLOW_UPLOAD = b"POST /api/hello HTTP/1.1\r\nHost: api\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("processes", ["1", "2"])
def test_probes_and_the_admin_port_respond_while_all_connections_are_busy(processes: str, start: Start) -> None:
    admin, limit = free_port(), 3 * int(processes)
    with fakeissuer.running() as issuer, servers.running("redis") as cache, contextlib.ExitStack() as stack:
        url = listening(
            start(
                "service", "--port", "0", "--processes", processes, "--admin-port", str(admin),
                SERVICE_MAX_CONNECTIONS="3", SERVICE_ADMIN_MAX_CONNECTIONS="1", SERVICE_BODY_TIMEOUT="60",
                SERVICE_CACHE_URL=cache.url, SERVICE_CACHE_SECRET="s" * 32, OKTA_OAUTH2_ISSUER=issuer.issuer_url(),
            )
        )  # fmt: skip
        address = (str(urlsplit(url).hostname), urlsplit(url).port)
        busy: list[socket.socket] = []
        end = time.monotonic() + 60
        while len(busy) < limit:
            client = stack.enter_context(socket.create_connection(address, timeout=30))
            client.sendall(_SLOW_UPLOAD)
            busy = [each for each in [*busy, client] if not select.select([each], [], [], 0.1)[0]]
            assert time.monotonic() < end
        stack.enter_context(socket.create_connection(("127.0.0.1", admin), timeout=30)).sendall(_SLOW_UPLOAD)
        for _ in range(3):
            assert 503 == send(f"{url}/api/hello").status
            for path in ("/healthz", "/readyz"):
                assert 200 == send(f"{url}{path}").status
                assert 200 == send(f"http://127.0.0.1:{admin}{path}").status
        for client in busy:
            client.sendall(b"0123456789")
            assert client.recv(100).startswith(b"HTTP/1.1 ")
        while send(f"{url}/api/hello").status != 200:  # a connection that has just become idle is kept for a moment
            assert time.monotonic() < end
