from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from service.web.connections.acceptor import Acceptor


class Failing(socket.socket):
    """A listening socket whose next calls of ``accept`` raise these errors."""

    errors: list[OSError]

    def accept(self) -> tuple[socket.socket, Any]:
        if self.errors:
            raise self.errors.pop(0)
        return super().accept()


@contextlib.contextmanager
def _listening(*errors: OSError) -> Iterator[Failing]:
    with Failing() as listening:
        listening.errors = list(errors)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.settimeout(0)
        yield listening


def _fail(*arguments: object) -> None:
    pytest.fail(f"called with {arguments}")


async def _until(holds: Callable[[], object]) -> None:
    while not holds():  # noqa: ASYNC110  # a socket has no event
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
@pytest.mark.gen_test
async def test_accepting_pauses_while_the_process_has_no_descriptor_left(number: int, io_loop: IOLoop) -> None:
    accepted: list[socket.socket] = []
    exhausted: list[OSError] = []
    with _listening(OSError(number, "exhausted"), ConnectionAbortedError()) as listening:
        acceptor = Acceptor(
            listening, lambda sock, _: accepted.append(sock), make_room=lambda: True, on_exhausted=exhausted.append
        )
        with socket.create_connection(listening.getsockname()):
            await _until(lambda: exhausted)
            assert not accepted
            await asyncio.sleep(0.1)
            assert 1 == len(exhausted)  # it does not try again at once
            await _until(lambda: accepted)
        acceptor.close()
        accepted[0].close()
    assert 1 == len(exhausted)


@pytest.mark.gen_test
async def test_a_connection_waits_in_the_queue_until_there_is_room(io_loop: IOLoop) -> None:
    accepted: list[socket.socket] = []
    has_room = False
    with _listening() as listening:
        acceptor = Acceptor(
            listening,
            lambda sock, _: accepted.append(sock),
            make_room=lambda: has_room,
            on_exhausted=_fail,
        )
        with socket.create_connection(listening.getsockname()):
            await asyncio.sleep(0.1)
            assert not accepted
            has_room = True
            await _until(lambda: accepted)
        acceptor.close()
        accepted[0].close()


@pytest.mark.gen_test
async def test_an_acceptor_that_is_closed_while_it_pauses_accepts_what_waits(io_loop: IOLoop) -> None:
    tries: list[None] = []
    accepted: list[socket.socket] = []

    def make_room() -> bool:
        tries.append(None)
        return False

    with _listening() as listening:
        acceptor = Acceptor(listening, lambda sock, _: accepted.append(sock), make_room=make_room, on_exhausted=_fail)
        address = listening.getsockname()
        with socket.create_connection(address), socket.create_connection(address):
            await _until(lambda: tries)
            acceptor.close()
            count = len(tries)
            await asyncio.sleep(0.05)
    assert (count, 2) == (len(tries), len(accepted))
    for connection in accepted:
        connection.close()


def test_another_error_is_not_hidden() -> None:
    loop = IOLoop(make_current=True)
    with _listening(OSError(errno.EINVAL, "not listening")) as listening:
        acceptor = Acceptor(listening, _fail, make_room=lambda: True, on_exhausted=_fail)
        with pytest.raises(OSError, match="not listening"):
            acceptor._accept_batch(listening, 0)
        acceptor.close()
    loop.close(all_fds=True)
