"""Sockets that are bound before anything serves, so that several processes can share them."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from tornado.netutil import bind_sockets


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundSockets:
    """Sockets that connections come in at, and how a client calls the place."""

    sockets: list[socket.socket]
    url: str

    def close(self) -> None:
        """Take no more connections here; those who share the sockets still do."""
        for bound_socket in self.sockets:
            bound_socket.close()


def bind(address: str, port: int, *, tls: bool = False) -> BoundSockets:
    """Return sockets at an address, which queue connections until somebody serves them.

    Args:
        port: 0 for any free one.
        tls: Whether what will serve there speaks TLS.

    Raises:
        OSError: The address cannot be bound.
    """
    sockets = bind_sockets(port, address)
    host = f"[{address}]" if ":" in address else address
    return BoundSockets(sockets=sockets, url=f"{'https' if tls else 'http'}://{host}:{sockets[0].getsockname()[1]}")
