"""``LimitedHTTPServer``: Tornado's HTTP server, with limits of what one client can use."""

from __future__ import annotations

import logging
import resource
import socket
from collections.abc import Callable, Iterable
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate, HTTPServerRequest
from tornado.netutil import ssl_wrap_socket

from service.errors import SettingsError
from service.settings.groups.limits import LimitSettings
from service.web.connections.acceptor import Acceptor
from service.web.connections.registry import ConnectionCounts, ConnectionRegistry
from service.web.connections.request import FollowedRequest
from service.web.connections.stream import ClientStream, TLSClientStream

_logger = logging.getLogger(__name__)

_NO_ADDRESS = "0.0.0.0"  # noqa: S104  # nothing is bound there
"""What Tornado reports as the address of a peer at a Unix socket."""
_MAPPED = "::ffff:"
"""Begins the address of an IPv4 client at a socket for IPv4 and IPv6, such as those of systemd (RFC 4291 2.5.5.2)."""
_MAX_CONNECTIONS = 10_000
MIN_SPARE_DESCRIPTORS = 24
"""For listening sockets, and connections to issuers and caches."""


class LimitedHTTPServer(HTTPServer):
    """An HTTP server with the limits of the settings, for any Tornado application.

    A request over a limit gets 408, 413, 414 or 431 as JSON, and a line in the log names the setting.
    It is used in place of Tornado's ``HTTPServer`` and has the same arguments, which take precedence over the limits.

    Args:
        limits: The limits; ``Settings`` are accepted as they are.

    Raises:
        SettingsError: ``xheaders`` or ``trusted_downstream`` is set as well as ``trusted_proxies``.
    """

    def initialize(  # type: ignore[override]  # Tornado's arguments are passed on
        self,
        request_callback: HTTPServerConnectionDelegate | Callable[[HTTPServerRequest], None],
        *,
        limits: LimitSettings | None = None,
        **kwargs: Any,
    ) -> None:
        """Set up the server; ``Configurable`` calls this with the arguments of the constructor."""
        limits = limits or LimitSettings()
        if getattr(limits, "trusted_proxies", ()) and (kwargs.get("xheaders") or kwargs.get("trusted_downstream")):
            problem = "trusted_proxies: replaces Tornado's xheaders, which trust every client; remove xheaders"
            raise SettingsError([problem])
        defaults = {
            "max_header_size": limits.max_header_size,
            "max_body_size": limits.max_body_size,
            "body_timeout": limits.body_timeout,
        }
        super().initialize(request_callback, **(defaults | kwargs))
        if "idle_connection_timeout" not in kwargs:
            self.conn_params.header_timeout = None  # the registry limits the time, which costs a request less
        self._registry = ConnectionRegistry(limits, max_connections=_max_connections(limits))

    @property
    def connection_counts(self) -> ConnectionCounts:
        """The connections at this moment."""
        return self._registry.counts

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """Accept connections from listening sockets."""
        for listening in sockets:
            acceptor = Acceptor(
                listening, self._accept, make_room=self._registry.make_room, on_exhausted=self._report_exhausted
            )
            # As in Tornado's method, so that its `stop` works, and programs find the port.
            self._sockets[listening.fileno()] = listening
            self._handlers[listening.fileno()] = acceptor.close

    @property
    def requests(self) -> int:
        """The number of requests that were received so far."""
        return self._registry.requests

    async def drain(self, *, within: float) -> bool:
        """Stop without interrupting requests; return whether all connections have ended.

        No connection is accepted any more, a connection without requests is closed, and every other one ends with its
        next response, which says so to the client. The caller closes WebSockets.

        Args:
            within: Seconds.
        """
        self.stop()
        return await self._registry.drain(within=within)

    async def close_all_connections(self) -> None:
        """Close all connections but WebSockets."""
        await super().close_all_connections()
        self._registry.close()

    def start_request(self, server_conn: object, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Follow a request of one connection."""
        delegate = super().start_request(server_conn, request_conn)
        stream: ClientStream = request_conn.stream  # type: ignore[attr-defined]  # HTTP1Connection has it
        return FollowedRequest(delegate, stream=stream, connection=request_conn)

    def _accept(self, connection: socket.socket, address: Any) -> None:
        stream: ClientStream
        if connection.family == socket.AF_INET6 and address[0].startswith(_MAPPED):
            address = (address[0].removeprefix(_MAPPED), *address[1:])
        if self.ssl_options is None:
            stream = ClientStream(
                connection, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size
            )
        else:
            try:
                secure = ssl_wrap_socket(connection, self.ssl_options, server_side=True, do_handshake_on_connect=False)
            except OSError:  # the client has closed the connection already
                connection.close()
                return
            stream = TLSClientStream(secure, max_buffer_size=self.max_buffer_size, read_chunk_size=self.read_chunk_size)
        stream.attach(self._registry, remote_ip=address[0] if isinstance(address, tuple) else _NO_ADDRESS)
        self._registry.add(stream)
        self.handle_stream(stream, address)

    def _report_exhausted(self, error: OSError) -> None:
        self._registry.log.report("accepting connections paused", limit="file descriptors", cause=error.strerror)


def _max_connections(limits: LimitSettings) -> int:
    """Return the setting, or less if the health checks would have no file descriptor left."""
    if limits.max_connections is None:
        return default_max_connections(limits)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = soft - MIN_SPARE_DESCRIPTORS - limits.health_check_connections - limits.admin_max_connections
    if soft == resource.RLIM_INFINITY or limits.max_connections <= most:
        return limits.max_connections
    value = max(1, most)
    _logger.warning(
        "max_connections exceeds the limit of file descriptors, so fewer connections are served",
        extra={"max_connections": limits.max_connections, "descriptors": soft, "value": value},
    )
    return value


def default_max_connections(limits: LimitSettings) -> int:
    """Return the number of connections for which the process has file descriptors, and at most 10,000."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    spare = max(MIN_SPARE_DESCRIPTORS + limits.health_check_connections + limits.admin_max_connections, soft // 10)
    return max(1, min(_MAX_CONNECTIONS, soft - spare))
