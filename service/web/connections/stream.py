"""The stream of one client connection, which responds before it closes if its client exceeds a limit."""

from __future__ import annotations

import enum
import select
import sys
from asyncio import Future
from collections.abc import Awaitable
from types import TracebackType
from typing import TYPE_CHECKING

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError, UnsatisfiableReadError

from service.tracing.current import make_request_id
from service.web.connections.last_response import announce_close
from service.web.connections.rejection import (
    BARE_BAD_REQUEST,
    BODY_TIMEOUT,
    HEADER_TIMEOUT,
    HEADER_TOO_LARGE,
    MALFORMED,
    URI_TOO_LONG,
    Rejection,
    rejection_for,
)

if TYPE_CHECKING:
    from service.web.connections.registry import ConnectionRegistry

_INTERIM = b"HTTP/1.1 100"
_SWITCHING = b"HTTP/1.1 101"
"""The beginning of the response that opens a WebSocket."""
_MAX_SKIPPED_EVENTS = 4
"""A response that awaits nothing takes three iterations of the loop, and the request before it may cause an event."""
_ExcInfo = bool | BaseException | tuple[type[BaseException] | None, BaseException | None, TracebackType | None] | None


class Phase(enum.Enum):
    """What a connection waits for."""

    UNUSED = "the first request"
    IDLE = "the next request"
    HEADER = "the rest of a further header"
    RECEIVING = "the rest of a request"
    RESPONDING = "the response, or the end of a WebSocket"


class ClientStream(IOStream):
    """The stream of a connection without TLS; :meth:`attach` must follow the creation.

    Times are in seconds of the event loop's clock.
    """

    phase = Phase.UNUSED
    is_reserve = False
    """Whether the connection is over the limit, so that only health checks are served."""
    remote_ip = ""
    waiting_since: float
    """When the connection began to wait for a request, or for the rest of its header."""
    is_websocket = False
    """Whether the connection has become a WebSocket."""
    is_rejected = False
    """Whether the client was rejected and may still be sending; closing at once could destroy the response."""
    announces_close = False
    """Whether the response tells the client that the connection ends with it."""
    _registry: ConnectionRegistry

    def attach(self, registry: ConnectionRegistry, *, remote_ip: str) -> None:
        """Set what Tornado's constructors have no arguments for, before the first request."""
        self._registry = registry
        self.remote_ip = remote_ip
        self.waiting_since = self.io_loop.time()
        self._stalled_since = self.waiting_since
        self._bytes_written_before = 0
        super().set_nodelay(True)
        self._has_responded = False
        self._skipped_events = 0

    def wait_for_request(self) -> None:
        """Begin to wait for a request, or close the connection if the last response has announced that."""
        if self.announces_close:
            self.close()
            return
        if self.phase is not Phase.UNUSED:
            self.phase = Phase.IDLE
            self.waiting_since = self.io_loop.time()
        self._has_responded = False
        if not self.closed():  # Tornado waits for a further request on a closed stream, too
            self._registry.wait(self)

    def receive_request(self) -> None:
        """Begin to read the body: the header is complete."""
        self.phase = Phase.RECEIVING
        self._registry.requests += 1
        self._registry.work(self)

    def respond(self) -> None:
        """Begin to respond: the request is complete."""
        self.phase = Phase.RESPONDING

    def check_timeouts(self, now: float) -> None:
        """Close the connection if its client has not sent a request, or not read a response, for too long."""
        limits = self._registry.limits
        if self.phase in {Phase.UNUSED, Phase.HEADER}:
            if now - self.waiting_since >= limits.header_timeout:
                self._end_waiting()
        elif self.phase is Phase.IDLE:
            if self._read_buffer:
                self.phase, self.waiting_since = Phase.HEADER, now
            elif now - self.waiting_since >= limits.keep_alive_timeout:
                self.close()
        elif not self.writing() or self._total_write_done_index > self._bytes_written_before:
            self._stalled_since = now
            self._bytes_written_before = self._total_write_done_index
        elif now - self._stalled_since >= limits.write_timeout:
            self._registry.log.report("client reads nothing", limit="write_timeout", remote_ip=self.remote_ip)
            self.close()

    def close_if_idle(self, now: float, *, since: float) -> None:
        """Close the connection if its client has sent nothing for so many seconds, and is not sending just now."""
        is_idle = self.phase in {Phase.UNUSED, Phase.IDLE} and now - self.waiting_since >= since
        if is_idle and not self._read_buffer and not self._has_input():
            self.close()

    def _has_input(self) -> bool:
        """Return whether the system holds data of the client that was not read yet."""
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        return bool(poll.poll(0))

    def _end_waiting(self) -> None:
        if self._read_buffer:
            self._reject(HEADER_TIMEOUT)
        self.close()

    def read_until_regex(self, regex: bytes, max_bytes: int | None = None) -> Awaitable[bytes]:
        """Read up to the end of a header.

        Tornado would go on with the requests in the buffer of a closed stream, so that a client could make the server
        work for it after it was disconnected.
        """
        if self.closed():
            raise StreamClosedError(real_error=self.error)
        self._skipped_events = 0
        return super().read_until_regex(regex, max_bytes)

    def _handle_read(self) -> None:
        """Leave the next request to the read that follows, if it arrives while no read is pending.

        Tornado would read it here, and stop and start waiting for data, which costs a busy connection three system
        calls for each request. The event repeats in each iteration of the loop until the data is read, so it is handled
        if the read does not follow soon: it may be the end of the connection, or the response may be a slow one.
        """
        if self._read_future is None and self._skipped_events < _MAX_SKIPPED_EVENTS:
            self._skipped_events += 1
            return
        super()._handle_read()

    def set_nodelay(self, value: bool) -> None:  # noqa: FBT001  # the signature of the base class
        """Do nothing: every write is sent at once, and Tornado would switch this on and off for each response."""

    def write(self, data: bytes | memoryview) -> Future[None]:
        """Write data; Tornado's bare response to a request that it cannot read becomes one in JSON."""
        if data == BARE_BAD_REQUEST:
            # Tornado writes it while it handles the exception, and offers no other way to learn the cause.
            rejection = rejection_for(sys.exception())
            self.is_rejected = True
            # After the response, as to an upload without a token, the rest of the body is no event of its own.
            data = b"" if self._has_responded else rejection.to_bytes(self._log(rejection))
        elif not self._has_responded:
            self._has_responded = data[: len(_INTERIM)] != _INTERIM
            self.is_websocket = data[: len(_SWITCHING)] == _SWITCHING
            if self._has_responded and self._registry.is_draining and not self.is_websocket:
                announced = announce_close(data)
                self.announces_close = announced is not None
                data = announced or data
        return super().write(data)

    def close(self, exc_info: _ExcInfo = False) -> None:  # noqa: FBT002  # the signature of the base class
        """Close the stream; if Tornado closes it because of a limit, send the client a response first."""
        if not self.closed():
            # Tornado closes the stream while it handles the exception, and offers no hook for these two limits.
            cause = exc_info if isinstance(exc_info, BaseException) else sys.exception()
            if not self.is_rejected and (rejection := self._rejection_for(cause)) is not None:
                self._reject(rejection)
            self._registry.remove(self)
        super().close(exc_info)

    def _rejection_for(self, cause: BaseException | None) -> Rejection | None:
        is_unsatisfiable = isinstance(cause, UnsatisfiableReadError)
        if self.phase is Phase.RECEIVING:
            # The size of a chunk is the only part of a body that can be unsatisfiable.
            return MALFORMED if is_unsatisfiable else BODY_TIMEOUT if isinstance(cause, TimeoutError) else None
        if self.phase is Phase.RESPONDING or not is_unsatisfiable:
            return None
        is_line_too_long = b"\n" not in self._read_buffer[: self._registry.limits.max_header_size]
        return URI_TOO_LONG if is_line_too_long else HEADER_TOO_LARGE

    def _reject(self, rejection: Rejection) -> None:
        """Send a response without waiting, because the stream is about to close."""
        self.is_rejected = True
        request_id = self._log(rejection)
        if self._has_responded or self.writing():
            return
        try:
            super().write_to_fd(memoryview(rejection.to_bytes(request_id)))
        except OSError:  # the client has closed the connection, or its buffer is full
            return

    def _log(self, rejection: Rejection) -> str:
        """Log a rejection, and return the request ID of its line."""
        request_id = make_request_id()
        event = "request over a limit" if rejection.limit else "malformed request"
        self._registry.log.report(
            event,
            limit=rejection.limit,
            status=rejection.status,
            remote_ip=self.remote_ip,
            request_id=request_id,
        )
        return request_id


class TLSClientStream(ClientStream, SSLIOStream):
    """The stream of a connection with TLS."""

    def attach(self, registry: ConnectionRegistry, *, remote_ip: str) -> None:
        """Set what Tornado's constructors have no arguments for, before the handshake."""
        super().attach(registry, remote_ip=remote_ip)
        self._accepted_at = self.waiting_since

    def check_timeouts(self, now: float) -> None:
        """Close the connection if its client is too slow; the time for the header begins after the handshake."""
        if not self._ssl_accepting:
            super().check_timeouts(now)
        elif now - self._accepted_at >= self._registry.limits.handshake_timeout:
            self.close()
        else:
            self.waiting_since = now
