"""Listening sockets that are bound before the workers start, so that all of them share the sockets."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tornado.netutil import bind_sockets

from service.web.connections.server import BACKLOG


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundSockets:
    """Listening sockets and their URL."""

    sockets: list[socket.socket]
    url: str

    def close(self) -> None:
        """Close the sockets in this process; other processes keep theirs."""
        for bound_socket in self.sockets:
            bound_socket.close()


def bind(address: str, port: int, *, tls: bool = False) -> BoundSockets:
    """Return listening sockets, which queue connections until they are served.

    Args:
        port: 0 for any free port.
        tls: Whether the URL is https.

    Raises:
        OSError: The address cannot be bound.
    """
    sockets = bind_sockets(port, address, backlog=BACKLOG)
    host = f"[{address}]" if ":" in address else address
    return BoundSockets(sockets=sockets, url=f"{'https' if tls else 'http'}://{host}:{sockets[0].getsockname()[1]}")
