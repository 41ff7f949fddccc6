"""The log of the program: what its real processes write to standard error."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from programs import Start, curl, first_match

import fakeissuer

NOISY = """
import asyncio, gc, threading, warnings
import tornado.web
from service import BearerAuthMixin

class Noisy(BearerAuthMixin, tornado.web.RequestHandler):
    public = True

    async def get(self):
        warnings.warn("old\\nforged", DeprecationWarning, stacklevel=1)
        threading.Thread(target=lambda: 1 / 0).start()
        asyncio.get_running_loop().call_soon(lambda: 1 / 0)
        task = asyncio.create_task(self.fail())
        await asyncio.sleep(0.01)
        del task
        gc.collect()
        class Failing:
            def __del__(self):
                raise ValueError("in a finalizer")
        Failing()
        import logging
        logging.getLogger("handlers").info("%d", "no number")
        raise RuntimeError("broken\\nforged")

    async def fail(self):
        raise ValueError("never retrieved")

ROUTES = [(r"/noisy/?(.*)", Noisy)]
warnings.simplefilter("always")
Noisy.get.__defaults__ = ("",)
"""


def _json_lines(text: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in text.splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)
    assert all(line["time"].endswith("Z") for line in lines)
    return lines


def _listening(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    return first_match(process.stderr, r'"url": "(http://127[^"]+)"')


def _stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert 0 == process.returncode
    return err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_every_line_of_json_is_valid_whatever_fails(processes: str, start: Start, tmp_path: Path) -> None:
    (tmp_path / "noisy.py").write_text(NOISY.replace("async def get(self):", "async def get(self, rest):"))
    with fakeissuer.running() as issuer:
        options = ["--port", "0", "--processes", processes, "--routes", "noisy:ROUTES", "--issuer", issuer.issuer_url()]
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        process = start("service", *options, "--log-format", "json", "--log-level", "debug", PYTHONPATH=path)
        url = _listening(process)
        assert 500 == curl(f"{url}/noisy/%0a%1b%c2%85%e2%80%a8")[0]
        host, _, port = url.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(b"\x16\x03\x01 not HTTP \x85\r\n\r\n")
            connection.recv(4096)
        lines = _json_lines(_stop(process))
    events = {line["message"] for line in lines}
    assert {"Python warning: old\nforged", "uncaught exception in a thread", "exception ignored by Python"} <= events
    assert "a log record cannot be formatted" in events
    assert any(line["logger"] == "asyncio" and "ZeroDivisionError" in line["exc_info"] for line in lines)
    assert any("never retrieved" in line.get("exc_info", "") for line in lines)
    (rejected,) = (line for line in lines if line["message"].startswith("unhandled exception in GET /noisy"))
    (access,) = (line for line in lines if line["logger"] == "service.access")
    assert rejected["request_id"] == access["request_id"]
    assert "broken\nforged" in rejected["exc_info"]


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        (["--routes", "os:sep"], 2, "package.module:attribute"),
        (["--certfile", "none.pem", "--keyfile", "none.pem"], 2, "No such file"),
        (["--port", "{taken}"], 1, "stop the program that listens there"),
    ],
)
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_start_error_is_a_line_of_json(
    options: list[str], status: int, word: str, processes: str, start: Start
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        named = [option.format(taken=taken.getsockname()[1]) for option in options]
        issuer = "https://dev-123456.okta.com/oauth2/default"
        process = start(
            "service", "--port", "0", "--processes", processes, "--issuer", issuer, "--log-format", "json", *named
        )
        _, err = process.communicate(timeout=60)
    (line,) = (line for line in _json_lines(err) if line["level"] == "CRITICAL")
    assert status == process.returncode
    assert word in line["message"]


def test_a_stalled_reader_of_the_log_stops_no_request(start: Start) -> None:
    with fakeissuer.running() as issuer:
        process = start("service", "--port", "0", "--issuer", issuer.issuer_url(), "--log-format", "json")
        url = _listening(process)
        host, _, port = url.removeprefix("http://").partition(":")
        request = f"GET /{'x' * 4000} HTTP/1.1\r\nHost: a\r\n\r\n".encode()
        with socket.create_connection((host, int(port)), timeout=20) as connection, connection.makefile("rb") as stream:
            for _ in range(300):  # two megabytes of lines, which the pipe does not hold
                connection.sendall(request)
                length = 0
                while (line := stream.readline()) != b"\r\n":
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                stream.read(length)
        lines = _json_lines(_stop(process))
    assert 300 == sum(line["logger"] == "service.access" for line in lines)


def test_a_stop_does_not_wait_for_a_stalled_reader(start: Start) -> None:
    with fakeissuer.running() as issuer:
        process = start("service", "--port", "0", "--issuer", issuer.issuer_url(), "--log-level", "debug")
        assert process.stderr is not None
        url = first_match(process.stderr, r"^listening on (\S+)$")
        for _ in range(2):
            subprocess.run(  # ours
                ["curl", "-sS", "-o", "/dev/null", *[f"{url}/{'x' * 4000}"] * 500],  # noqa: S607  # the user's own
                check=True,
                capture_output=True,
            )
        process.send_signal(signal.SIGTERM)
        assert 0 == process.wait(timeout=60)
