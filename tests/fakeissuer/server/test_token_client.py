from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fakeissuer import running
from fakeissuer.__main__ import main
from fakeissuer.errors import SettingsError
from fakeissuer.server.running_issuer import RunningIssuer
from fakeissuer.server.token_client import split_issuer

Main = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Main:
    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(["token", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def foreign_listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:9400", ("http://127.0.0.1:9400", None)),
        ("http://127.0.0.1:9400/", ("http://127.0.0.1:9400", None)),
        ("https://issuer.test/oauth2/partner", ("https://issuer.test", "partner")),
        ("https://issuer.test/below/oauth2/partner/", ("https://issuer.test/below", "partner")),
    ],
)
def test_an_issuer_url_is_split_into_base_and_server(url: str, expected: tuple[str, str | None]) -> None:
    assert split_issuer(url) == expected


@pytest.mark.parametrize(
    "url", ["", "issuer.test", "ftp://issuer.test", "http://", "http://[", "http://h:port", "http://:9400"]
)
def test_an_invalid_url_is_rejected(url: str) -> None:
    with pytest.raises(SettingsError, match="--issuer"):
        split_issuer(url)


def test_only_the_token_is_printed(fake_issuer: RunningIssuer, run: Main) -> None:
    code, said, complained = run("--issuer", fake_issuer.issuer_url("partner"), "--sub", "a@example.com")
    assert (code, complained) == (0, "")
    fake_issuer.revoke(said.removesuffix("\n"))


def test_the_reason_of_a_rejection_is_printed(fake_issuer: RunningIssuer, run: Main) -> None:
    code, said, complained = run("--issuer", fake_issuer.url, "--server", "unknown")
    assert (code, said) == (1, "")
    assert "default, partner, org" in complained


def test_the_control_token_is_read_from_the_environment(run: Main, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(control_token="a-control-token") as issuer:
        assert run("--issuer", issuer.url)[0] == 1
        monkeypatch.setenv("FAKEISSUER_CONTROL_TOKEN", "a-control-token")
        assert run("--issuer", issuer.url)[0] == 0


@pytest.mark.parametrize("body", ["not json", "{}", "[]"])
def test_another_server_is_reported(run: Main, serve_once: Callable[..., str], body: str) -> None:
    for status in (200, 500):
        code, _, complained = run("--issuer", serve_once(body, status))
        assert (code, "not a fake issuer" in complained) == (1, True)


@pytest.fixture
def serve_once() -> Iterator[Callable[[str, int], str]]:
    """Return a function that starts a server for one request, with this body and status, and returns its URL."""
    processes: list[subprocess.Popen[str]] = []
    source = (
        "import http.server, sys\n"
        "class Once(http.server.BaseHTTPRequestHandler):\n"
        "    def do_POST(self):\n"
        "        self.rfile.read(int(self.headers['Content-Length']))\n"
        "        self.send_response(int(sys.argv[2]))\n"
        "        self.end_headers()\n"
        "        self.wfile.write(sys.argv[1].encode())\n"
        "with http.server.HTTPServer(('127.0.0.1', 0), Once) as server:\n"
        "    print(server.server_port, flush=True)\n"
        "    server.handle_request()\n"
    )

    def serve(body: str, status: int) -> str:
        process = subprocess.Popen(
            [sys.executable, "-c", source, body, str(status)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        return f"http://127.0.0.1:{process.stdout.readline().strip()}"

    yield serve
    for process in processes:
        process.communicate(timeout=20)


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Restore SIGINT for child processes, which ignore it if a shell runs the tests in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_request_exits_with_1(foreign_listener: socket.socket) -> None:
    url = f"http://127.0.0.1:{foreign_listener.getsockname()[1]}"
    command: Any = [sys.executable, "-m", "fakeissuer", "token", "--issuer", url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        accepted, _ = foreign_listener.accept()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=20)
        accepted.close()
    assert (process.returncode, said) == (1, ("", ""))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--claim", "=1"], "--claim: '=1'"),
        (["--claim", "a=" + "[" * 100_000], "NAME=JSON"),
        (["--issuer", "https://127.0.0.1:1", "--ca-file", "/nonexistent"], "--ca-file: /nonexistent"),
        (["--issuer", "https://127.0.0.1:1", "--ca-file", __file__], "--ca-file"),
    ],
)
def test_wrong_usage_is_one_line(run: Main, arguments: list[str], expected: str) -> None:
    code, said, complained = run(*arguments)
    assert (code, said, complained.count("\n")) == (2, "", 1)
    assert expected in complained


def test_a_server_without_http_is_reported(run: Main, foreign_listener: socket.socket) -> None:
    def answer() -> None:
        with foreign_listener.accept()[0] as accepted:
            accepted.sendall(b"220 mail ready\r\n")
            while accepted.recv(4096):  # until the client closes the connection
                pass

    foreign_server = threading.Thread(target=answer)
    foreign_server.start()
    code, said, complained = run("--issuer", f"http://127.0.0.1:{foreign_listener.getsockname()[1]}")
    foreign_server.join()
    assert (code, said, "not a fake issuer" in complained) == (1, "", True)
