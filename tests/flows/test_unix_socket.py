"""The service at a Unix socket: its file, its peers, and what the log says of them."""

from __future__ import annotations

import re
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from programs import Start, curl, listening

OKTA = "https://dev-123456.okta.com/oauth2/default"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path, since that of a Unix socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="api") as path:
        yield Path(path)


def _start(start: Start, path: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    process = start("service", "--address", f"unix:{path}", "--issuer", OKTA, *options, **variables)
    assert f"unix:{path}" == listening(process)
    return process


def _get(path: Path, target: str, *options: str) -> tuple[int, str]:
    return curl("--unix-socket", str(path), *options, f"http://localhost{target}")


def _stop(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert 0 == process.returncode, err
    return err


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_file_exists_while_the_service_runs(processes: str, start: Start, folder: Path) -> None:
    path = folder / "api.sock"
    process = _start(start, path, "--processes", processes, SERVICE_UNIX_SOCKET_MODE="0600")
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert {200} == {_get(path, "/healthz")[0] for _ in range(6)}
    _stop(process)
    assert not path.exists()


def test_the_file_of_a_killed_service_is_replaced_and_that_of_a_running_one_is_not(start: Start, folder: Path) -> None:
    path = folder / "api.sock"
    killed = _start(start, path)
    killed.kill()
    killed.communicate(timeout=30)
    assert path.is_socket()
    running = _start(start, path)
    second = start("service", "--address", f"unix:{path}", "--issuer", OKTA)
    _, err = second.communicate(timeout=30)
    assert 1 == second.returncode
    assert f"unix:{path}: another process listens there" in err
    assert 200 == _get(path, "/healthz")[0]
    _stop(running)
    assert not path.exists()


def test_a_successor_keeps_its_file_when_its_predecessor_stops(start: Start, folder: Path) -> None:
    path = folder / "api.sock"
    first = _start(start, path)
    path.unlink()
    second = _start(start, path)
    _stop(first)
    assert 200 == _get(path, "/healthz")[0]
    _stop(second)


@pytest.mark.parametrize(("trusted", "address"), [("unix", "203.0.113.9"), ("10.0.0.0/8", "0.0.0.0")])
def test_the_log_has_the_address_that_a_trusted_proxy_reports(
    trusted: str, address: str, start: Start, folder: Path
) -> None:
    path = folder / "api.sock"
    process = _start(start, path, SERVICE_TRUSTED_PROXIES=trusted)
    assert 200 == _get(path, "/api/hello", "-H", "X-Forwarded-For: 203.0.113.9")[0]
    assert re.search(rf"GET /api/hello 200 \S+ {re.escape(address)} ", _stop(process))


def test_the_admin_port_can_be_a_unix_socket(start: Start, folder: Path) -> None:
    path = folder / "admin.sock"
    process = start(
        "service", "--port", "0", "--issuer", OKTA,
        SERVICE_ADMIN_ADDRESS=f"unix:{path}", SERVICE_ADMIN_TOKEN="operators-only-0123456789-abcdefgh",
    )  # fmt: skip
    listening(process)
    assert 200 == _get(path, "/metrics")[0]
    assert 401 == _get(path, "/deny-list")[0]
    assert "without TLS" not in _stop(process)
    assert not path.exists()


def test_a_folder_that_does_not_exist_is_named(start: Start, folder: Path) -> None:
    process = start("service", "--address", f"unix:{folder}/missing/api.sock", "--issuer", OKTA)
    _, err = process.communicate(timeout=30)
    assert 1 == process.returncode
    assert f"unix:{folder}/missing/api.sock: No such file or directory" in err


def test_a_unix_socket_serves_tls_if_there_is_a_certificate(start: Start, folder: Path) -> None:
    authority, pem = trustme.CA(), folder / "own.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    path = folder / "api.sock"
    process = _start(start, path, "--certfile", str(pem), "--keyfile", str(pem))
    trusting = ["--cacert", str(folder / "ca.pem"), "--unix-socket", str(path), "https://localhost/healthz"]
    assert 200 == curl(*trusting)[0]
    _stop(process)
