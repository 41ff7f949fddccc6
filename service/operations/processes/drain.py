"""Serves an application, and stops without interrupting requests."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Iterable

from service.operations.sockets import BoundSockets
from service.settings.groups.limits import LimitSettings
from service.settings.groups.processes import ProcessSettings
from service.web.application.application import ResourceServerApplication
from service.web.application.protect import tracked
from service.web.connections.server import LimitedHTTPServer

_logger = logging.getLogger(__name__)

_DRAIN_TIMEOUT: float = ProcessSettings.model_fields["drain_timeout"].default
REFUSAL_TIME = 0.1
"""Seconds between :func:`refuse_connections` and the end of accepting, for the handshakes in progress."""
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_SYN = 0x02
_FLAGS_OFFSET = 13
_DROP_SYN = (
    (0x30, 0, 0, _FLAGS_OFFSET),  # load the flags of the TCP header
    (0x45, 0, 1, _SYN),  # skip one instruction unless SYN is set
    (0x06, 0, 0, 0),  # drop
    (0x06, 0, 0, 0xFFFFFFFF),  # accept
)
"""A packet filter (``socket(7)``) that drops the first packet of a connection."""


def make_server(
    service: ResourceServerApplication, *, limits: LimitSettings | None = None, tls: ssl.SSLContext | None = None
) -> LimitedHTTPServer:
    """Return the server of an application, or of the application that it guards.

    Args:
        limits: Those of the application by default.
    """
    return LimitedHTTPServer(tracked(service), limits=limits or service.limits, ssl_options=tls)


@contextlib.asynccontextmanager
async def draining(
    service: ResourceServerApplication, server: LimitedHTTPServer, *, within: float
) -> AsyncIterator[None]:
    """Serve while the block runs; afterwards end each connection with its next response, and close the application.

    Args:
        within: Seconds until the requests in progress are dropped.
    """
    try:
        yield
    finally:
        deadline = time.monotonic() + within
        service.close_long_lived()
        is_finished = await server.drain(within=within)
        if not await service.finish_requests(within=max(0.0, deadline - time.monotonic())) or not is_finished:
            _logger.warning("pending requests dropped", extra={"timeout_s": within})
        await server.close_all_connections()
        await service.close()


@contextlib.asynccontextmanager
async def serving(
    service: ResourceServerApplication,
    bound: BoundSockets,
    *,
    limits: LimitSettings | None = None,
    tls: ssl.SSLContext | None = None,
    drain_timeout: float = _DRAIN_TIMEOUT,
) -> AsyncIterator[str]:
    """Serve at these sockets while the block runs and yield their URL; afterwards drain."""
    server = make_server(service, limits=limits, tls=tls)
    async with draining(service, server, within=drain_timeout):
        server.add_sockets(bound.sockets)
        yield bound.url


def refuse_connections(sockets: Iterable[socket.socket]) -> None:
    """Let the system accept no connection any more at TCP sockets, in all processes that share them.

    Without it, a connection that arrives between the last ``accept`` and the close of a socket is reset. The handshakes
    in progress are completed: accept until :data:`REFUSAL_TIME` has passed. A client that connects later tries again a
    second later, and is refused then.
    """
    instructions = b"".join(struct.pack("HBBI", *instruction) for instruction in _DROP_SYN)
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = struct.pack("HP", len(_DROP_SYN), ctypes.addressof(buffer))
    for listening in sockets:
        if listening.family in {socket.AF_INET, socket.AF_INET6}:
            with contextlib.suppress(OSError):  # another system than Linux
                listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
