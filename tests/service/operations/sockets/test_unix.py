from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.operations.sockets import unix
from service.operations.sockets.bound import bind
from service.operations.sockets.unix import SocketFile, bind_unix_socket


@pytest.fixture
def path(short_path: Path) -> str:
    return str(short_path / "api.sock")


@contextlib.contextmanager
def _bound(path: str, *, mode: int = 0o660) -> Iterator[tuple[socket.socket, SocketFile]]:
    listening, file = bind_unix_socket(path, mode=mode, backlog=4)
    try:
        yield listening, file
    finally:
        listening.close()


def _can_connect(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(path) == 0


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_file_has_the_permissions_of_the_setting_whatever_the_umask(path: str, mode: int) -> None:
    before = os.umask(0o077)
    try:
        with _bound(path, mode=mode):
            assert mode == stat.S_IMODE(Path(path).stat().st_mode)
            assert _can_connect(path)
    finally:
        os.umask(before)


def test_the_file_of_a_dead_process_is_replaced(path: str) -> None:
    with _bound(path):
        pass
    assert Path(path).exists()
    with _bound(path):
        assert _can_connect(path)


def test_the_socket_of_a_living_process_is_refused_even_if_its_queue_is_full(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as other, contextlib.ExitStack() as stack:
        other.bind(path)
        other.listen(0)
        for _ in range(2):
            with pytest.raises(OSError, match="another process listens there") as refused:
                bind_unix_socket(path, mode=0o660, backlog=4)
            assert (errno.EADDRINUSE, True) == (refused.value.errno, path in str(refused.value))
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.settimeout(0)
            while client.connect_ex(path) == 0:
                client = stack.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(0)


def test_a_file_that_is_no_socket_is_left_alone(path: str) -> None:
    Path(path).write_text("precious")
    with pytest.raises(OSError, match="is not a socket"):
        bind_unix_socket(path, mode=0o660, backlog=4)
    assert "precious" == Path(path).read_text()


def test_a_link_is_left_alone(path: str, short_path: Path) -> None:
    Path(path).symlink_to(short_path / "elsewhere")
    with pytest.raises(OSError, match="is not a socket"):
        bind_unix_socket(path, mode=0o660, backlog=4)
    assert Path(path).is_symlink()


def test_a_socket_of_another_kind_is_left_alone(path: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(path)
        with pytest.raises(OSError, match=f"unix:{path}: "):
            bind_unix_socket(path, mode=0o660, backlog=4)
        assert Path(path).is_socket()


def test_an_error_of_the_system_names_the_path(short_path: Path) -> None:
    with pytest.raises(OSError, match="No such file") as refused:
        bind_unix_socket(str(short_path / "missing" / "api.sock"), mode=0o660, backlog=4)
    assert "unix:" in str(refused.value.strerror)


def test_the_file_is_removed_at_the_end(path: str) -> None:
    bind(f"unix:{path}", 0).close()
    assert not Path(path).exists()


def test_the_file_of_a_successor_is_not_removed(path: str) -> None:
    with _bound(path) as (_, file):
        Path(path).unlink()
        with _bound(path):
            file.remove()
            assert _can_connect(path)
    Path(path).unlink()
    file.remove()  # there is none


def test_only_the_process_that_has_bound_the_socket_removes_the_file(path: str) -> None:
    with _bound(path) as (_, file):
        of_parent = SocketFile(path=path, identity=file.identity, owner=os.getppid())
        of_parent.remove()
        assert _can_connect(path)


def test_of_programs_that_start_at_once_one_serves(path: str) -> None:
    with _bound(path):
        pass
    bound: list[socket.socket] = []
    refused: list[OSError] = []
    barrier = threading.Barrier(8)

    def start() -> None:
        barrier.wait()
        try:
            bound.append(bind_unix_socket(path, mode=0o660, backlog=64)[0])
        except OSError as exc:
            refused.append(exc)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (1, 7) == (len(bound), len(refused))
    assert _can_connect(path)
    bound[0].close()


def test_a_lock_that_another_program_keeps_does_not_prevent_the_start(
    path: str, short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unix, "_LOCK_PAUSE", 0.0)
    descriptor = os.open(short_path, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with _bound(path):
        assert _can_connect(path)
    os.close(descriptor)
