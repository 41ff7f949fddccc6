"""The open client connections of one server: their number, and their timeouts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from tornado.ioloop import IOLoop

from service.settings.groups.limits import LimitSettings
from service.web.connections.limit_log import LimitLog
from service.web.connections.lingering import LingeringSocket
from service.web.connections.stream import ClientStream, Phase

_MIN_WAIT = 0.1
"""Seconds that a new connection has to send a request before it is closed to make room."""
_MAX_LINGERING = 64
_MAX_CHECK_INTERVAL = 1.0
"""Seconds."""
_DRAIN_CHECK_INTERVAL = 0.02
"""Seconds."""
_IDLE_TIME = 1.0
"""Seconds without a request after which a connection is closed while draining.

A client that sends requests more often than that gets a response that announces the close; if its connection were
closed between two requests, the next one could cross the close on the wire and be lost.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionCounts:
    """The client connections of one server.

    Args:
        open: All of them, WebSockets included.
        websockets: The WebSockets.
        limit: The number that is served without restriction.
        exceeded: How often clients have exceeded each limit.
    """

    open: int
    websockets: int
    limit: int
    exceeded: Mapping[str, int]


class ConnectionRegistry:
    """Counts connections, makes room for new ones, and closes those whose clients are too slow.

    One timer checks all connections, which costs a request nothing, instead of one timer for each request.

    Args:
        max_connections: The number of connections that are served without restriction.

    Attributes:
        requests: The number of requests so far.
        is_draining: Whether each connection ends with its next response.
    """

    def __init__(self, limits: LimitSettings, *, max_connections: int) -> None:
        self.limits = limits
        self.log = LimitLog()
        self.requests = 0
        self.is_draining = False
        self._max_connections = max_connections
        self._open: set[ClientStream] = set()
        self._unused: dict[ClientStream, None] = {}
        self._idle: dict[ClientStream, None] = {}
        self._reserve: dict[ClientStream, None] = {}
        self._lingering: dict[LingeringSocket, None] = {}  # some may be closed already
        timeouts = (limits.handshake_timeout, limits.header_timeout, limits.keep_alive_timeout, limits.write_timeout)
        self._interval = min(_MAX_CHECK_INTERVAL, min(timeouts) / 4)
        self._timer: object | None = None

    def make_room(self) -> bool:
        """Make room for a connection, if need be by closing one that waits for a request; return whether there is any.

        Once all connections are busy, the reserve remains, which serves health checks alone.
        """
        if not self._is_full:
            return True
        self.log.report("connections at the limit", limit="max_connections", value=self._max_connections)
        # Connections without any request go first: an attacker can open many, and a client reuses the others.
        has_room = self._close_lingering() or _close_oldest(self._unused) or _close_oldest(self._idle)
        return has_room or len(self._reserve) < self.limits.health_check_connections or _close_oldest(self._reserve)

    def add(self, stream: ClientStream) -> None:
        """Add a new connection, after :meth:`make_room` has returned True."""
        if self._is_full:
            stream.is_reserve = True
            self._reserve[stream] = None
        self._open.add(stream)
        if self._timer is None:
            self._schedule_check()

    def wait(self, stream: ClientStream) -> None:
        """Note that a connection waits for a request; one of the reserve loses its restriction once there is room."""
        if stream.is_reserve:
            if len(self._open) > self._max_connections:
                return
            stream.is_reserve = False
            del self._reserve[stream]
        (self._unused if stream.phase is Phase.UNUSED else self._idle)[stream] = None

    def work(self, stream: ClientStream) -> None:
        """Note that a connection has received a request."""
        self._unused.pop(stream, None)
        self._idle.pop(stream, None)

    def remove(self, stream: ClientStream) -> None:
        """Remove a connection that is about to be closed."""
        self.work(stream)
        self._open.discard(stream)
        self._reserve.pop(stream, None)
        is_rejected = stream.is_rejected and not stream.is_reserve and len(self._lingering) < _MAX_LINGERING
        if is_rejected or stream.announces_close:
            with contextlib.suppress(OSError):  # without a descriptor left, the client may miss the response
                self._lingering[LingeringSocket(stream.socket.fileno())] = None

    async def drain(self, *, within: float) -> bool:
        """End each connection with its next response, or if it is idle; return whether all have ended.

        Args:
            within: Seconds.
        """
        self.is_draining = True
        loop = IOLoop.current()
        deadline = loop.time() + within
        while self._has_connections and (now := loop.time()) < deadline:
            for stream in list(self._open):
                stream.close_if_idle(now, since=_IDLE_TIME)
            await asyncio.sleep(_DRAIN_CHECK_INTERVAL)
        return not self._open

    def close(self) -> None:
        """Close the sockets that linger; the server closes the connections."""
        for socket in self._lingering:
            socket.close()
        self._lingering.clear()

    @property
    def counts(self) -> ConnectionCounts:
        """The connections at this moment."""
        return ConnectionCounts(
            open=len(self._open),
            websockets=sum(stream.is_websocket for stream in self._open),
            limit=self._max_connections,
            exceeded=self.log.counts,
        )

    @property
    def _has_connections(self) -> bool:
        return bool(self._open) or not all(socket.closed for socket in self._lingering)

    @property
    def _is_full(self) -> bool:
        return len(self._open) + len(self._lingering) >= self._max_connections

    def _close_lingering(self) -> bool:
        self._lingering = {socket: None for socket in self._lingering if not socket.closed}
        if not self._lingering:
            return False
        next(iter(self._lingering)).close()
        return True

    def _schedule_check(self) -> None:
        self._timer = IOLoop.current().call_later(self._interval, self._check)

    def _check(self) -> None:
        now = IOLoop.current().time()
        for stream in list(self._open):
            stream.check_timeouts(now)
        self._timer = None
        if self._open:
            self._schedule_check()


def _close_oldest(waiting: dict[ClientStream, None]) -> bool:
    """Close the first connection unless it is new, and return whether it is closed."""
    oldest = next(iter(waiting), None)
    if oldest is None or oldest.io_loop.time() - oldest.waiting_since < _MIN_WAIT:
        return False
    oldest.close()
    return True
