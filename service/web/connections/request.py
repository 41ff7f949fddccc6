"""Follows one request on a limited connection."""

from __future__ import annotations

from collections.abc import Awaitable

from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine

from service.web.connections.rejection import NO_CONNECTION_LEFT
from service.web.connections.stream import ClientStream

_HEALTH_CHECKS = frozenset({"/healthz", "/livez", "/readyz"})


class FollowedRequest(HTTPMessageDelegate):
    """Delegates a request, and keeps its stream informed of the phase.

    A connection of the reserve gets a 503 for everything but a health check.
    """

    def __init__(self, delegate: HTTPMessageDelegate, *, stream: ClientStream, connection: HTTPConnection) -> None:
        self._delegate = delegate
        self._stream = stream
        self._connection = connection
        stream.wait_for_request()

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """Note that the header is complete."""
        self._stream.receive_request()
        if self._stream.is_reserve and _path(start_line) not in _HEALTH_CHECKS:
            self._delegate = HTTPMessageDelegate()  # which does nothing: the application never sees the request
            self._send_no_connection_left()
            return None
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Delegate a part of the body."""
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        """Note that the request is complete."""
        self._stream.respond()
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Delegate the end of the connection."""
        self._delegate.on_connection_close()

    def _send_no_connection_left(self) -> None:
        rejection = NO_CONNECTION_LEFT
        self._connection.write_headers(
            ResponseStartLine("HTTP/1.1", rejection.status, rejection.reason_phrase),
            HTTPHeaders(rejection.headers),
            rejection.body,
        )
        self._connection.finish()


def _path(start_line: RequestStartLine | ResponseStartLine) -> str:
    return start_line.path.partition("?")[0] if isinstance(start_line, RequestStartLine) else ""
