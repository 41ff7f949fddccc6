from __future__ import annotations

import socket

import pytest

from service.operations.sockets.bound import BoundSockets, bind


def _close(bound: BoundSockets) -> None:
    for bound_socket in bound.sockets:
        bound_socket.close()


@pytest.mark.parametrize(
    ("address", "tls", "url"),
    [
        ("127.0.0.1", False, "http://127.0.0.1:"),
        ("127.0.0.1", True, "https://127.0.0.1:"),
        ("::1", False, "http://[::1]:"),
    ],
)
def test_the_url_has_the_scheme_address_and_port(address: str, tls: bool, url: str) -> None:  # noqa: FBT001  # a row of the table
    bound = bind(address, 0, tls=tls)
    assert f"{url}{bound.sockets[0].getsockname()[1]}" == bound.url
    _close(bound)


def test_early_connections_wait_in_the_backlog() -> None:
    bound = bind("127.0.0.1", 0)
    socket.create_connection(bound.sockets[0].getsockname()).close()
    _close(bound)


# Tornado does not close the socket that it could not bind; the garbage collector does.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_an_address_in_use_is_an_os_error() -> None:
    bound = bind("127.0.0.1", 0)
    with pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", bound.sockets[0].getsockname()[1])
    _close(bound)
