from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from service.web.connections import lingering
from service.web.connections.lingering import LingeringSocket


def _linger() -> tuple[socket.socket, LingeringSocket]:
    client, server = socket.socketpair()
    server.settimeout(0)
    with server:
        return client, LingeringSocket(server.fileno())


async def _until_closed(lingering_socket: LingeringSocket) -> None:
    while not lingering_socket.closed:  # noqa: ASYNC110  # a socket has no event
        await asyncio.sleep(0.01)


@pytest.mark.gen_test
async def test_input_is_discarded_until_the_client_closes(io_loop: IOLoop) -> None:
    client, lingering_socket = _linger()
    with client:
        client.sendall(b"x" * 10_000)
        await asyncio.sleep(0.05)
        assert not lingering_socket.closed
        assert b"" == client.recv(1)  # the server sends nothing more
    await _until_closed(lingering_socket)


@pytest.mark.gen_test
async def test_the_socket_is_closed_after_the_linger_time(io_loop: IOLoop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "LINGER_TIME", 0.05)
    client, lingering_socket = _linger()
    with client:
        await _until_closed(lingering_socket)
        lingering_socket.close()  # again, without effect


@pytest.mark.gen_test
async def test_a_reset_connection_is_closed(io_loop: IOLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client = socket.create_connection(listening.getsockname())
        server, _ = listening.accept()  # the queue holds the connection
    server.settimeout(0)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() sends a reset
    lingering_socket = LingeringSocket(server.fileno())
    server.close()
    client.close()
    await _until_closed(lingering_socket)


@pytest.mark.gen_test
async def test_an_event_without_input_is_ignored(io_loop: IOLoop) -> None:
    client, lingering_socket = _linger()
    with client:
        lingering_socket._discard(None, 0)
        assert not lingering_socket.closed
        lingering_socket.close()


def test_a_descriptor_that_is_no_socket_raises() -> None:
    with Path(os.devnull).open() as file, pytest.raises(OSError, match="non-socket"):
        LingeringSocket(file.fileno())
