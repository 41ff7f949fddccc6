"""Refuses connections before a listening socket is closed, so that none is reset in its queue."""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct

from service.operations.sockets.bound import BoundSockets

REFUSAL_TIME = 0.1
"""Seconds between :func:`refuse_connections` and the end of accepting, for the handshakes in progress."""
_SO_ATTACH_FILTER = 26
_SYN = 0x02
_FLAGS_OFFSET = 13
_DROP_SYN = (
    (0x30, 0, 0, _FLAGS_OFFSET),  # load the flags of the TCP header
    (0x45, 0, 1, _SYN),  # skip one instruction unless SYN is set
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # accept
)
"""A packet filter (``socket(7)``) that drops the first packet of a connection."""


def refuse_connections(bound: BoundSockets) -> None:
    """Let the system make no connection any more at these sockets, in all processes that share them.

    A connection that is made between the last ``accept`` and the close of a socket would be reset. The handshakes in
    progress are completed, so continue to accept for :data:`REFUSAL_TIME`. A client that connects later tries again
    after a second, and is refused then. Sockets of systemd remain as they are, since they stay open.
    """
    if bound.is_shared:
        return
    if bound.file is not None:
        bound.file.remove()
    instructions = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(buffer))
    for listening in bound.sockets:
        if listening.family in {socket.AF_INET, socket.AF_INET6}:
            with contextlib.suppress(OSError):  # another system than Linux
                listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
