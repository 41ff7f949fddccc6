"""The program under signals, with workers that die, freeze and retire, and with settings and files that change."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from plain_http import send
from programs import Start, free_port
from supervised import Supervised, until
from tornado.websocket import websocket_connect

ROUTES = """
import asyncio
import os
import sys
import time
import tornado.web
import tornado.websocket
from service import BearerAuthMixin

class Handler(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

class Who(Handler):
    def get(self):
        self.write({"pid": os.getpid(), "version": 1})

class Slow(Handler):
    async def get(self):
        print("a pending request", file=sys.stderr, flush=True)
        await asyncio.sleep(float(self.get_argument("seconds")))
        self.write("done")

class Block(Handler):
    def get(self):
        print("a pending request", file=sys.stderr, flush=True)
        time.sleep(60)

class Grow(Handler):
    kept = []

    def get(self):
        self.kept.append(bytearray(256 * 1024 * 1024))

class Echo(BearerAuthMixin, tornado.websocket.WebSocketHandler):
    public = True

    def on_message(self, message):
        self.write_message(message)

ROUTES = [(r"/who", Who), (r"/slow", Slow), (r"/block", Block), (r"/grow", Grow), (r"/echo", Echo)]
"""
Run = Callable[..., Supervised]
_COUNT = "http_server_request_duration_seconds_count{"


@pytest.fixture
def run(start: Start, tmp_path: Path) -> Iterator[Run]:
    """Return a function that starts the program with routes of its own and these settings."""
    (tmp_path / "routes.py").write_text(ROUTES)
    started = []

    def run_program(*options: str, **settings: str) -> Supervised:
        arguments = ("--port", "0", "--routes", "routes:ROUTES", "--issuer", "http://127.0.0.1:9", "--audience", "a")
        variables = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": str(tmp_path)} | settings
        program = Supervised(start("service", *arguments, *options, **variables))
        started.append(program)
        return program

    yield run_program
    for program in started:
        for worker in program.workers():
            os.kill(worker, signal.SIGKILL)


def _version(program: Supervised) -> int:
    version: int = send(f"{program.url}/who").json()["version"]
    return version


class _Pending:
    """A request that a handler has begun and whose response is still to come, on a connection of its own."""

    def __init__(self, program: Supervised, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", program.port), timeout=60)
        self._socket.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        program.wait_for_log("a pending request")

    def read(self) -> str:
        """Return everything until the connection ends."""
        with self._socket:
            chunks = iter(lambda: self._socket.recv(4096), b"")
            return b"".join(chunks).decode()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_reload_reads_settings_and_code_again(processes: str, run: Run, tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text('realm = "old"\n')
    program = run("--config", str(config), "--processes", processes)
    assert 'realm="old"' in send(f"{program.url}/auth").headers.get("WWW-Authenticate", 'realm="old"')
    before = program.wait_for_workers(int(processes))
    config.write_text('realm = "new"\nleeway = -1\n')
    program.signal(signal.SIGHUP)
    program.wait_for_log("reload failed, the workers keep their settings")
    assert "leeway" in program.log
    assert before == program.workers()
    config.write_text('realm = "new"\n')
    (tmp_path / "routes.py").write_text(ROUTES + "\nsyntax error\n")
    program.signal(signal.SIGHUP)
    until(lambda: program.log.count("reload failed") == 2)
    assert "SyntaxError" in program.log
    assert 1 == _version(program)
    (tmp_path / "routes.py").write_text(ROUTES.replace('"version": 1', '"version": 2'))
    program.signal(signal.SIGHUP)
    program.wait_for_log("reload finished")
    program.wait_for_workers(int(processes), other_than=before)
    assert 2 == _version(program)
    program.signal(signal.SIGTERM)
    assert 0 == program.wait()


def test_a_changed_secret_replaces_the_workers(run: Run, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("old")
    program = run(
        OKTA_OAUTH2_CLIENT_ID="api", OKTA_OAUTH2_CLIENT_SECRET_FILE=str(secret), SERVICE_FILE_CHECK_INTERVAL="0.1"
    )
    before = program.wait_for_workers(1)
    secret.write_text("")
    program.wait_for_log("reload failed")
    assert "client_secret_file" in program.log
    assert before == program.workers()
    secret.write_text("new")
    program.wait_for_log("reload finished")
    program.wait_for_workers(1, other_than=before)
    program.signal(signal.SIGTERM)
    assert 0 == program.wait()


def test_a_drain_finishes_responses_and_closes_idle_connections_and_websockets(run: Run) -> None:
    async def connect() -> int | None:
        websocket = await websocket_connect(f"ws://127.0.0.1:{program.port}/echo")
        await websocket.write_message("hello")
        assert "hello" == await websocket.read_message()
        pending = _Pending(program, "/slow?seconds=1.5")
        program.signal(signal.SIGTERM)
        assert await websocket.read_message() is None
        websocket.close()
        response = await asyncio.to_thread(pending.read)
        assert response.startswith("HTTP/1.1 200"), response
        assert "\r\nConnection: close\r\n" in response
        assert response.endswith("done")
        return websocket.close_code

    program = run()
    with socket.create_connection(("127.0.0.1", program.port), timeout=60) as idle:
        assert 1001 == asyncio.run(connect())
        assert b"" == idle.recv(1)
    assert 0 == program.wait()
    assert "pending requests dropped" not in program.log


def test_a_request_that_takes_longer_than_the_drain_is_dropped(run: Run) -> None:
    program = run(SERVICE_DRAIN_TIMEOUT="0.5")
    pending = _Pending(program, "/slow?seconds=60")
    program.signal(signal.SIGTERM)
    assert "" == pending.read()
    assert 0 == program.wait()
    assert "pending requests dropped timeout_s=0.5" in program.log


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_program_at_once(number: signal.Signals, run: Run) -> None:
    program = run()
    pending = _Pending(program, "/slow?seconds=60")
    program.signal(number)
    program.wait_for_log("stopping, waiting for pending requests")
    program.signal(number)
    assert 1 == program.wait()
    assert "" == pending.read()
    assert "a second signal" in program.log


def test_a_frozen_worker_is_replaced(run: Run) -> None:
    program = run(SERVICE_WORKER_TIMEOUT="1.5")
    before = program.wait_for_workers(1)
    pending = _Pending(program, "/block")
    program.wait_for_log("worker did not respond in time, killing it")
    assert "" == pending.read()
    program.wait_for_workers(1, other_than=before)
    assert 1 == _version(program)


def test_a_stopped_worker_is_replaced(run: Run) -> None:
    program = run("--processes", "2", SERVICE_WORKER_TIMEOUT="1.5")
    program.wait_for_workers(2)
    stopped = send(f"{program.url}/who").json()["pid"]  # one that serves; another one may take its time to start
    os.kill(stopped, signal.SIGSTOP)
    program.wait_for_workers(2, other_than={stopped})
    assert 1 == _version(program)


def test_a_worker_above_its_memory_is_replaced_first(run: Run) -> None:
    program = run(SERVICE_MAX_WORKER_MEMORY=str(256 * 1024 * 1024))
    before = program.wait_for_workers(1)
    assert 200 == send(f"{program.url}/grow").status
    program.wait_for_log("reason=max_worker_memory")
    assert 1 == _version(program)
    program.wait_for_workers(1, other_than=before)


def test_a_limit_of_memory_below_that_of_a_new_worker_is_ignored(run: Run) -> None:
    program = run(SERVICE_MAX_WORKER_MEMORY="1000")
    program.wait_for_log("max_worker_memory is less than a worker needs at its start, so it is ignored")
    assert 1 == _version(program)


def test_the_number_of_workers_follows_signals(run: Run) -> None:
    program = run()
    program.wait_for_workers(1)
    program.signal(signal.SIGTTIN)
    program.wait_for_workers(2)
    program.wait_for_log("the number of workers changes workers=2")
    time.sleep(1)  # until the second one is ready; one that starts cannot drain
    program.signal(signal.SIGTTOU)
    program.wait_for_workers(1)


def test_if_the_code_is_broken_and_the_workers_die_the_program_ends(run: Run, tmp_path: Path) -> None:
    program = run("--processes", "2")
    before = program.wait_for_workers(2)
    (tmp_path / "routes.py").write_text("syntax error\n")
    for worker in before:
        os.kill(worker, signal.SIGKILL)
    assert 1 == program.wait()
    assert "no worker could start, so the program ends" in program.log
    assert "SyntaxError" in program.log


def test_counts_and_deny_entries_survive_a_reload(run: Run, tmp_path: Path) -> None:
    admin = f"http://127.0.0.1:{free_port()}"
    program = run("--admin-port", admin.rsplit(":", 1)[1], SERVICE_ADMIN_TOKEN="operators-only-0123456789-abcdefgh")
    headers = {"Authorization": "Bearer operators-only-0123456789-abcdefgh", "Content-Type": "application/json"}
    until(lambda: 200 == _status(f"{admin}/metrics"))

    def count() -> float:
        text = send(f"{admin}/metrics").body.decode()
        lines = [line for line in text.splitlines() if line.startswith(_COUNT) and "/who" in line]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    assert 201 == send(f"{admin}/deny-list", "POST", body=b'{"sub": "mallory"}', headers=headers).status
    for _ in range(20):
        assert 1 == _version(program)
    assert 20 == count()
    before = program.wait_for_workers(1)
    program.signal(signal.SIGHUP)
    program.wait_for_log("reload finished")
    for _ in range(20):
        assert 1 == _version(program)
    program.wait_for_workers(1, other_than=before)
    until(lambda: 200 == _status(f"{admin}/metrics"))
    assert 40 == count()
    assert b"mallory" in send(f"{admin}/deny-list", headers=headers).body


def test_if_the_folder_of_the_metrics_is_gone_and_the_workers_die_the_program_ends(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    program = run("--admin-port", "0", PROMETHEUS_MULTIPROC_DIR=str(folder))
    (worker,) = program.wait_for_workers(1)
    shutil.rmtree(folder)
    os.kill(worker, signal.SIGKILL)
    assert 1 == program.wait()
    assert "no worker could start, so the program ends" in program.log
    assert "FileNotFoundError" in program.log


def _status(url: str) -> int:
    try:
        return send(url).status
    except OSError:
        return 0
