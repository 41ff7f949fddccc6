"""Parses the header fields in which proxies describe the request that they received (RFC 7239, ``X-Forwarded-*``)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tornado.httputil import HTTPHeaders

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PAIR = re.compile(
    r"""[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\s]*))[ \t]*([;,]|$)""", re.ASCII
)
"""One parameter of ``Forwarded``; a value may contain a colon or brackets without quotes, as many proxies write it."""
_PORT = re.compile(r"(?::(?:[0-9]{1,5}|_[A-Za-z0-9._-]+))?", re.ASCII)
_HOST = re.compile(r"(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Hop:
    """What one proxy reports of the request that it received; None for what is missing, hidden or malformed."""

    client: IPAddress | None = None
    scheme: str | None = None
    host: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What the trusted proxies report of a client's request.

    Args:
        client: The address that connected to the first trusted proxy.
    """

    client: IPAddress
    scheme: str | None = None
    host: str | None = None


def read_forwarded(headers: HTTPHeaders, peer: IPAddress, is_trusted: Callable[[IPAddress], bool]) -> Report | None:
    """Return the report in ``Forwarded``, or None without that header.

    Each line is parsed on its own, so that a malformed line of the client does not hide those of the proxies.
    """
    lines = headers.get_list("Forwarded")
    hops = [hop for line in lines for hop in _parse_line(line)]
    if not lines:
        return None
    client, count = _find_client([hop.client for hop in hops], peer, is_trusted)
    trusted = hops[-count:]
    return Report(
        client=client,
        scheme=next((hop.scheme for hop in trusted if hop.scheme), None),
        host=next((hop.host for hop in trusted if hop.host), None),
    )


def read_x_forwarded(headers: HTTPHeaders, peer: IPAddress, is_trusted: Callable[[IPAddress], bool]) -> Report | None:
    """Return the report in ``X-Forwarded-For``, ``-Proto`` and ``-Host``, or None without these headers."""
    clients, schemes, hosts = (_list(headers, f"X-Forwarded-{name}") for name in ("For", "Proto", "Host"))
    if not (clients or schemes or hosts):
        return None
    client, count = _find_client([parse_node(text) for text in clients], peer, is_trusted)
    return Report(
        client=client,
        scheme=_SCHEMES.get(_at(schemes, count).lower()),
        host=_parse_host(_at(hosts, count)),
    )


def parse_node(text: str) -> IPAddress | None:
    """Return the address of a node (RFC 7239 section 6), or None if it is hidden, unknown or malformed."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        is_valid = ":" in host
    else:
        host, colon, port = text.partition(":") if text.count(":") == 1 else (text, "", "")
        port, is_valid = colon + port, True
    if not is_valid or "%" in host or not _PORT.fullmatch(port):  # the zone of an IPv6 address may hold any character
        return None
    try:
        return unmap(ipaddress.ip_address(host))
    except ValueError:
        return None


def unmap(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address stands for, as a socket for both reports it, or the address."""
    return getattr(address, "ipv4_mapped", None) or address


def _find_client(
    clients: Sequence[IPAddress | None], peer: IPAddress, is_trusted: Callable[[IPAddress], bool]
) -> tuple[IPAddress, int]:
    """Return the last address that a trusted proxy reports, and how many entries trusted proxies have written.

    The entries are read from the right, since the client can write all those to the left of the first trusted proxy's.
    """
    address, count = peer, 0
    for client in reversed(clients):
        count += 1
        if client is None:
            break
        address = client
        if not is_trusted(address):
            break
    return address, max(count, 1)


def _parse_line(line: str) -> list[Hop]:
    hops: list[Hop] = []
    parameters: dict[str, str] = {}
    position, separator = 0, ","
    while separator:
        pair = _PAIR.match(line, position)
        if pair is None or pair[1].lower() in parameters:
            return [Hop()]  # an open quote of the client could swallow what the proxies have added
        quoted = pair[2]
        parameters[pair[1].lower()] = pair[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        position, separator = pair.end(), pair[4]
        if separator != ";":
            hops.append(_make_hop(parameters))
            parameters = {}
    return hops


def _make_hop(parameters: dict[str, str]) -> Hop:
    return Hop(
        client=parse_node(parameters.get("for", "")),
        scheme=_SCHEMES.get(parameters.get("proto", "").lower()),
        host=_parse_host(parameters.get("host", "")),
    )


def _parse_host(text: str) -> str | None:
    return text if _HOST.fullmatch(text) else None


def _list(headers: HTTPHeaders, name: str) -> list[str]:
    # An empty item stays: the proxy that wrote it hides its client, and the item to its left is the client's own.
    return [item.strip() for line in headers.get_list(name) for item in line.split(",")]


def _at(values: Sequence[str], count: int) -> str:
    """Return an item counted from the right; the leftmost if proxies replace the header and do not append to it."""
    return values[-min(count, len(values))] if values else ""
