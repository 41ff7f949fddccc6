"""Replaces the address, scheme and host of a request by those that a trusted proxy reports."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from tornado.httputil import HTTPServerRequest, split_host_and_port

from service.settings.types import UNIX_SOCKETS
from service.web.connections.forwarded import IPAddress, Report, parse_node, read_forwarded, read_x_forwarded, unmap
from service.web.connections.limit_log import LimitLog
from service.web.credentials.proxy_headers import FROM_TRUSTED_PROXY

_NO_ADDRESS = ipaddress.IPv4Address(0)
"""The address that Tornado reports for a peer at a Unix socket."""


class TrustedProxies:
    """The proxies whose ``Forwarded`` and ``X-Forwarded-*`` headers are read; those of any other peer are ignored.

    Args:
        networks: Their addresses and networks, and ``unix`` for those at a Unix socket.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        names = set(networks)
        self._trusts_unix_sockets = UNIX_SOCKETS in names
        self._networks = [ipaddress.ip_network(network) for network in names - {UNIX_SOCKETS}]
        self._log = LimitLog()

    def read(self, request: HTTPServerRequest) -> None:
        """Set ``remote_ip``, ``protocol``, ``host`` and the header ``Host`` of a request, once."""
        if FROM_TRUSTED_PROXY in vars(request):
            return
        peer = _peer_of(request)
        is_trusted = self._trusts_unix_sockets if peer is _NO_ADDRESS else peer is not None and self._trusts(peer)
        vars(request)[FROM_TRUSTED_PROXY] = is_trusted
        if peer is None or not is_trusted:
            return
        reports = [read(request.headers, peer, self._trusts) for read in (read_forwarded, read_x_forwarded)]
        report = self._agree(*reports, peer=peer)
        request.remote_ip = str(report.client)
        request.protocol = report.scheme or request.protocol
        if report.host is not None:
            request.host = request.headers["Host"] = report.host  # Tornado checks WebSockets by the header
            request.host_name = split_host_and_port(report.host.lower())[0]

    def _trusts(self, address: IPAddress) -> bool:
        return any(address in network for network in self._networks)

    def _agree(self, one: Report | None, other: Report | None, *, peer: IPAddress) -> Report:
        """Return what both headers report alike.

        Most proxies set one of them, and pass on the other as the client has sent it.
        """
        if one is None or other is None or one == other:
            return one or other or Report(client=peer)
        self._log.report("Forwarded and X-Forwarded headers differ", limit="", remote_ip=str(peer))
        return Report(
            client=one.client if one.client == other.client else peer,
            scheme=one.scheme if one.scheme == other.scheme else None,
            host=one.host if one.host == other.host else None,
        )


def _peer_of(request: HTTPServerRequest) -> IPAddress | None:
    """Return the address of the peer, and undo what the ``xheaders`` of a Tornado server have made of the request."""
    context = getattr(request.connection, "context", None)
    if context is not None:
        request.remote_ip = getattr(context, "_orig_remote_ip", request.remote_ip)
        request.protocol = getattr(context, "_orig_protocol", request.protocol)
        if getattr(context, "address_family", None) == socket.AF_UNIX:
            return _NO_ADDRESS
    return unmap(peer) if (peer := parse_node(request.remote_ip or "")) else None
