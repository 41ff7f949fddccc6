"""Sockets that a service manager hands over; those of the last tests are those of a program of our own."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import LOG_PIPE_SIZE, curl, first_match, free_port, listening
from service_manager import ServiceManager

from service.errors import SettingsError
from service.operations.sockets import activation
from service.operations.sockets.activation import take_sockets

OKTA = "https://dev-123456.okta.com/oauth2/default"
NAMES = ("service", "admin")


@pytest.fixture
def tcp() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening_socket:
        yield listening_socket


@pytest.fixture
def other() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening_socket:
        yield listening_socket


def _environ(count: object, names: str | None = None, *, pid: object = None) -> dict[str, str]:
    environ = {"LISTEN_PID": str(pid or os.getpid()), "LISTEN_FDS": str(count), "PATH": "/bin"}
    return environ if names is None else environ | {"LISTEN_FDNAMES": names}


@pytest.fixture
def at_three(monkeypatch: pytest.MonkeyPatch, tcp: socket.socket) -> int:
    """Move the first descriptor behind those of the test; the descriptor is a copy that the program may close."""
    descriptor = os.dup(tcp.fileno())
    os.set_inheritable(descriptor, True)  # noqa: FBT003  # as systemd leaves it
    monkeypatch.setattr(activation, "FIRST_DESCRIPTOR", descriptor)
    return descriptor


def test_a_socket_is_taken_by_its_name_and_not_inherited(tcp: socket.socket, at_three: int) -> None:
    environ = _environ(1, "service")
    taken = take_sockets(NAMES, environ=environ)
    assert {"PATH": "/bin"} == environ
    assert {"service"} == taken.keys()
    (listening_socket,) = taken["service"]
    assert (at_three, tcp.getsockname()) == (listening_socket.fileno(), listening_socket.getsockname())
    assert (False, False) == (listening_socket.get_inheritable(), listening_socket.getblocking())
    listening_socket.close()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_FDS": "1", "LISTEN_FDNAMES": "service"},
        {"LISTEN_PID": str(os.getpid())},
        _environ(0),
        _environ("", "service"),
    ],
)
def test_without_sockets_for_this_process_there_are_none(environ: dict[str, str]) -> None:
    assert {} == take_sockets(NAMES, environ=environ)
    assert not [name for name in environ if name.startswith("LISTEN")]


def test_sockets_for_another_process_are_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert {} == take_sockets(NAMES, environ=_environ(1, "service", pid=1))
    (record,) = caplog.records
    assert "a shell must start the service by exec" in record.message


@pytest.mark.parametrize("count", ["-1", "one", "1.5", "9999", "\u0661", "0x1"])
def test_a_malformed_number_of_sockets_is_an_error(count: str) -> None:
    with pytest.raises(SettingsError, match="LISTEN_FDS: was "):
        take_sockets(NAMES, environ=_environ(count, "service"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("web", "named 'web'; expected service or admin; set FileDescriptorName= in its unit, or its name as"),
        ("service.socket", "named 'service.socket'; expected service or admin"),
        ("unknown", "named 'unknown'"),
        ("", "without a name; expected service or admin"),
        (None, "without a name; expected service or admin"),
        ("admin", "no socket named service"),
    ],
)
def test_an_unknown_or_missing_name_is_an_error(names: str | None, message: str, at_three: int) -> None:
    with pytest.raises(SettingsError) as rejection:
        take_sockets(NAMES, environ=_environ(1, names))
    (problem,) = rejection.value.problems
    assert message in problem
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(at_three)


def _not_listening() -> socket.socket:
    return socket.socket()


def _datagram() -> socket.socket:
    return socket.socket(type=socket.SOCK_DGRAM)


def _connected() -> socket.socket:
    own, other = socket.socketpair()
    other.close()
    return own


def _netlink() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_not_listening, "does not listen; set Accept=no"),
        (_connected, "does not listen; set Accept=no"),
        (_datagram, "is not a stream socket; use ListenStream="),
        (_netlink, "is not a stream socket; use ListenStream="),
    ],
)
def test_a_socket_of_the_wrong_kind_is_an_error(make: object, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(make)
    made = make()
    monkeypatch.setattr(activation, "FIRST_DESCRIPTOR", made.detach())
    with pytest.raises(SettingsError, match=message):
        take_sockets(NAMES, environ=_environ(1, "service"))


@pytest.mark.skipif(not hasattr(socket, "AF_VSOCK"), reason="the system has no such sockets")
def test_a_socket_of_another_family_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        made = socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)
    except OSError:
        made = socket.create_server(("127.0.0.1", 0))
        monkeypatch.setattr(activation, "_FAMILIES", frozenset({socket.AF_UNIX}))
    monkeypatch.setattr(activation, "FIRST_DESCRIPTOR", made.detach())
    with pytest.raises(SettingsError, match="is neither a TCP nor a Unix socket"):
        take_sockets(NAMES, environ=_environ(1, "service"))


def test_a_descriptor_that_is_no_socket_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    monkeypatch.setattr(activation, "FIRST_DESCRIPTOR", descriptor)
    with pytest.raises(SettingsError, match="is not a socket; use ListenStream="):
        take_sockets(NAMES, environ=_environ(1, "service"))
    os.close(descriptor)


def _stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert 0 == process.returncode, err
    return err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_program_serves_the_sockets_by_name_and_not_by_order(
    processes: str, manager: ServiceManager, tcp: socket.socket, other: socket.socket
) -> None:
    unix = socket.socket(socket.AF_UNIX)
    unix.bind(str(manager.folder / "api.sock"))
    unix.listen()
    process = manager.start(
        "service", "--processes", processes, "--issuer", OKTA, "--admin-port", "1", "--port", "1",
        sockets=[other, tcp, unix], names="admin:service:service", SERVICE_CACHE_URL="redis://127.0.0.1:1",
        SERVICE_ADMIN_TOKEN="operators-only-0123456789-abcdefgh", SERVICE_CACHE_SECRET="s" * 32,
    )  # fmt: skip
    assert listening(process) == f"http://127.0.0.1:{tcp.getsockname()[1]}"
    assert listening(process) == f"unix:{manager.folder}/api.sock"
    assert 200 == curl(f"http://127.0.0.1:{tcp.getsockname()[1]}/healthz")[0]
    assert 200 == curl("--unix-socket", str(manager.folder / "api.sock"), "http://localhost/healthz")[0]
    assert 200 == curl(f"http://127.0.0.1:{other.getsockname()[1]}/metrics")[0]
    _stop(process)
    assert (manager.folder / "api.sock").exists()  # it is systemd's
    unix.close()


def test_a_configured_name_is_taken(manager: ServiceManager, tcp: socket.socket) -> None:
    process = manager.start(
        "service", "--issuer", OKTA, sockets=[tcp], names="api.socket", SERVICE_SYSTEMD_SOCKET="api.socket"
    )
    assert 200 == curl(f"{listening(process)}/healthz")[0]
    assert f":{tcp.getsockname()[1]}" in listening_url(tcp)


def listening_url(tcp: socket.socket) -> str:
    return f"http://127.0.0.1:{tcp.getsockname()[1]}"


def test_requests_during_a_restart_wait_in_the_socket_of_systemd(manager: ServiceManager, tcp: socket.socket) -> None:
    first = manager.start("service", "--issuer", OKTA, sockets=[tcp], names="service")
    listening(first)
    _stop(first)
    with socket.create_connection(tcp.getsockname(), timeout=30) as client:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n")
        manager.start("service", "--issuer", OKTA, sockets=[tcp], names="service")
        assert client.recv(100).startswith(b"HTTP/1.1 200")


def test_no_process_of_the_program_keeps_the_variables(manager: ServiceManager, tcp: socket.socket) -> None:
    process = manager.start("service", "--processes", "2", "--issuer", OKTA, sockets=[tcp], names="service")
    listening(process)
    for worker in _children(process.pid):
        variables = Path(f"/proc/{worker}/environ").read_bytes()
        assert b"LISTEN_" not in variables
    _stop(process)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


@pytest.mark.parametrize(
    ("names", "word"), [("web", "named 'web'"), ("admin", "named 'admin'"), (None, "without a name")]
)
def test_the_program_does_not_start_with_a_socket_of_an_unknown_name(
    names: str | None, word: str, manager: ServiceManager, tcp: socket.socket
) -> None:
    process = manager.start("service", "--issuer", OKTA, "--port", "0", sockets=[tcp], names=names)
    _, err = process.communicate(timeout=30)
    assert (2, 1) == (process.returncode, len(err.splitlines()))
    assert word in err


@pytest.mark.skipif(not shutil.which("systemd-socket-activate"), reason="systemd-socket-activate is not installed")
def test_the_program_of_systemd_hands_over_its_sockets(short_path: Path, environment: dict[str, str]) -> None:
    port = free_port()
    command = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname", "service", "-E", "PYTHONPATH"]
    with subprocess.Popen(
        [*command, sys.executable, "-m", "service", "--issuer", OKTA],
        cwd=short_path, env=environment, stderr=subprocess.PIPE, text=True, pipesize=LOG_PIPE_SIZE,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        try:
            first_match(process.stderr, "(Listening on )")
            assert 200 == curl(f"http://127.0.0.1:{port}/healthz")[0]  # which starts the service
            assert f"http://127.0.0.1:{port}" == listening(process)
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            process.communicate(timeout=30)
