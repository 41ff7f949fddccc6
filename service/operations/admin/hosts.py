"""Which host names the admin port accepts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.routing import Matcher

from service.urls import is_loopback


class ForeignHost(Matcher):
    """Matches requests whose ``Host`` is not a name of the admin port.

    A page of another site can read responses of the admin port if the page's host name resolves to the port's address
    (DNS rebinding). ``Host`` has that name then, which is never an IP address.

    Args:
        address: The address on which the port listens.
        names: Further host names.
    """

    def __init__(self, address: str, names: Iterable[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in (address, *names) if name)
        parsed = _parse_address(address or "::")
        self._is_any_address_ours = parsed is not None and parsed.is_unspecified

    def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
        """Return no arguments if the host is foreign, or None if it is not."""
        host = request.host_name.removeprefix("[").removesuffix("]")
        is_ours = is_loopback(host) or host in self._names
        return None if is_ours or (self._is_any_address_ours and _parse_address(host) is not None) else {}


def _parse_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
