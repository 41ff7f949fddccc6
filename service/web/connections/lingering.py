"""Keeps the socket of a rejected client open for a moment, so that the client receives the response."""

from __future__ import annotations

import contextlib
import os
import socket

from tornado.ioloop import IOLoop

LINGER_TIME = 2.0
"""Seconds."""
_CHUNK_SIZE = 65536


class LingeringSocket:
    """A copy of a client's socket, whose input is discarded until the client closes it, or the time is over.

    If a socket is closed while the client still sends, the system resets the connection, and the client may not
    receive the response that was written before (RFC 9112 section 9.6).

    Args:
        file_number: The descriptor of the client's socket, which the caller closes.

    Raises:
        OSError: The process has no descriptor left.
    """

    def __init__(self, file_number: int) -> None:
        self._loop = IOLoop.current()
        self._socket = socket.socket(fileno=os.dup(file_number))
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        self._loop.add_handler(self._socket, self._discard, IOLoop.READ)
        self._timer = self._loop.call_later(LINGER_TIME, self.close)

    @property
    def closed(self) -> bool:
        """Whether the socket is closed."""
        return self._socket.fileno() == -1

    def close(self) -> None:
        """Close the socket."""
        if not self.closed:
            self._loop.remove_handler(self._socket)
            self._loop.remove_timeout(self._timer)
            self._socket.close()

    def _discard(self, _socket: object, _events: int) -> None:
        try:
            data = self._socket.recv(_CHUNK_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
