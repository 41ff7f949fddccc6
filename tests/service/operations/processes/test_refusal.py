from __future__ import annotations

import contextlib
import socket
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from service.operations.processes.refusal import refuse_connections
from service.operations.sockets.bound import bind


def _connects(address: tuple[str, int]) -> bool:
    with socket.socket() as client:
        client.settimeout(0.3)
        with contextlib.suppress(OSError):
            client.connect(address)
            return True
    return False


@pytest.mark.skipif(sys.platform != "linux", reason="needs packet filters")
def test_connections_in_the_queue_remain_and_no_other_one_is_made() -> None:
    bound = bind("127.0.0.1", 0)
    (listening,) = bound.sockets
    listening.settimeout(5)
    address = listening.getsockname()
    with socket.create_connection(address) as waiting:
        refuse_connections(bound)
        assert not _connects(address)
        waiting.sendall(b"x")
        accepted, _ = listening.accept()
        with accepted:
            assert b"x" == accepted.recv(1)
    bound.close()


def test_sockets_of_systemd_remain_open() -> None:
    bound = bind("127.0.0.1", 0)
    refuse_connections(replace(bound, is_shared=True))
    assert _connects(bound.sockets[0].getsockname())
    bound.close()


def test_the_file_of_a_unix_socket_is_removed(tmp_path: Path) -> None:
    bound = bind(f"unix:{tmp_path}/socket", 0)
    assert (tmp_path / "socket").exists()
    refuse_connections(bound)
    assert not (tmp_path / "socket").exists()
    bound.close()
