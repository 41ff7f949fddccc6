"""Accepts connections from a listening socket, and pauses while the process has no file descriptor left."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable
from typing import Any

from tornado.ioloop import IOLoop

_BATCH = 4
"""Connections accepted before other work has its turn; few, so that one process does not take all those of a client."""
_PAUSE = 0.01
"""Seconds until there may be room, as connections of the reserve are short."""
_EXHAUSTED_PAUSE = 0.5
"""Seconds until there may be a file descriptor."""
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class Acceptor:
    """Accepts connections until it is closed.

    Tornado's own loop accepts again at once if the process has no descriptor left, which uses a whole core and fills
    the log.

    Args:
        accept: Called with each connection and its address.
        make_room: Returns whether there is room for one more connection; further ones wait in the system's queue.
        on_exhausted: Called when the system has no descriptor or memory left.
    """

    def __init__(
        self,
        listening: socket.socket,
        accept: Callable[[socket.socket, Any], None],
        *,
        make_room: Callable[[], bool],
        on_exhausted: Callable[[OSError], None],
    ) -> None:
        self._socket = listening
        self._accept = accept
        self._make_room = make_room
        self._on_exhausted = on_exhausted
        self._loop = IOLoop.current()
        self._pause: object | None = None
        self._waiting: tuple[socket.socket, Any] | None = None
        self._resume()

    def close(self) -> None:
        """Accept the connections that wait, and then none; the caller closes the listening socket.

        The system resets the connections that wait in its queue when the last process closes the socket.
        """
        if self._pause is None:
            self._loop.remove_handler(self._socket)
        else:
            self._loop.remove_timeout(self._pause)
        if self._waiting is not None:
            self._accept(*self._waiting)
        with contextlib.suppress(OSError):  # no connection waits any more, or there is no descriptor for it
            while True:
                self._accept(*self._socket.accept())

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_handler(self._socket, self._accept_batch, IOLoop.READ)
        if self._waiting is not None:
            connection, self._waiting = self._waiting, None
            self._admit(*connection)

    def _accept_batch(self, _socket: object, _events: int) -> None:
        for _ in range(_BATCH):
            try:
                connection, address = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue  # the client closed the connection before it was accepted
            except OSError as exc:
                if exc.errno not in _EXHAUSTED:
                    raise
                self._pause_accepting(_EXHAUSTED_PAUSE)
                self._on_exhausted(exc)
                return
            if not self._admit(connection, address):
                return

    def _admit(self, connection: socket.socket, address: Any) -> bool:
        """Hand over a connection if there is room; else keep it, and pause."""
        has_room = self._make_room()
        if has_room:
            self._accept(connection, address)
        else:
            self._waiting = (connection, address)
            self._pause_accepting(_PAUSE)
        return has_room

    def _pause_accepting(self, seconds: float) -> None:
        self._loop.remove_handler(self._socket)
        self._pause = self._loop.call_later(seconds, self._resume)
