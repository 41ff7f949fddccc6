"""Types of settings with checks of their own."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
import urllib.parse
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr

from service.settings.names import is_set_by_kubernetes
from service.settings.profiles.texts import Texts
from service.urls import parse_origin, parse_proxy

_RESOURCE = re.compile(r"https?://[A-Za-z0-9\-._~%:\[\]]+(?:/[A-Za-z0-9\-._~%!$&'()*+,;=:@/]*)?", re.ASCII)  # RFC 3986
_ADDRESS = re.compile(r"[A-Za-z0-9:%_\-]{1,63}(?:\.[A-Za-z0-9:%_\-]{1,63})*\.?", re.ASCII)

_UNIX_PREFIX = "unix:"
_MAX_UNIX_PATH = 103 if sys.platform == "darwin" else 107
"""Bytes, without the null character at the end (``unix(7)``)."""
UNIX_SOCKETS = "unix"
"""The entry of ``trusted_proxies`` for peers on Unix sockets, which have no address."""
_MAPPED = ipaddress.ip_network("::ffff:0:0/96")


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        parse_origin(origin)
    return origins


def _check_public_url(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    if not _RESOURCE.fullmatch(url) or not parts.hostname or parts.port == 0:  # `port` raises ValueError from 65536 on
        raise ValueError("expected http(s)://host[:port][/path], as clients use it, without query and fragment")
    return url


def unix_path(address: str) -> str | None:
    """Return the path in ``unix:/path``, or None for any other address."""
    return address.removeprefix(_UNIX_PREFIX) if address.startswith(_UNIX_PREFIX) else None


def _check_address(address: str) -> str:
    if (path := unix_path(address)) is not None:
        if not path.startswith("/") or path.endswith("/") or not path.isprintable():
            raise ValueError("expected unix: with an absolute path, such as unix:/run/api/api.sock")
        if (length := len(os.fsencode(path))) > _MAX_UNIX_PATH:
            raise ValueError(f"the path of a Unix socket has at most {_MAX_UNIX_PATH} bytes, but this one has {length}")
        return address
    if not _ADDRESS.fullmatch(address):  # an empty address would listen on every interface
        raise ValueError(
            "expected an IP address or a host name, such as 127.0.0.1; 0.0.0.0 or :: for all addresses, "
            "or unix:/path for a Unix socket"
        )
    return address


def _check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        if network == UNIX_SOCKETS:
            continue
        try:
            parsed = ipaddress.ip_network(network)
        except ValueError:
            expected = (
                "expected an IP address or a network without host bits, such as 10.0.0.7, 10.0.0.0/8 or fd00::/8, "
            )
            expected += f"or {UNIX_SOCKETS}"
            raise ValueError(f"{network!r}: {expected}") from None
        if parsed.prefixlen == 0:
            raise ValueError(f"{network!r} trusts every client to name its own address; list those of your proxies")
        if parsed.version == 6 and parsed.overlaps(_MAPPED):
            raise ValueError(f"{network!r} never matches; write the IPv4 address or network itself")
    return networks


def _check_port(port: object) -> object:
    if is_set_by_kubernetes(port):
        raise ValueError(
            "Kubernetes sets this variable for a Service of that name; set enableServiceLinks: false in the pod, "
            "or set the variable itself"
        )
    return port


def _check_proxy(proxy: SecretStr) -> SecretStr:
    """Check the URL of a proxy."""
    parse_proxy(proxy.get_secret_value())
    return proxy


Address = Annotated[str, AfterValidator(_check_address)]
Port = Annotated[int, Field(ge=0, le=65535), BeforeValidator(_check_port)]
Networks = Annotated[Texts, AfterValidator(_check_networks)]
Origins = Annotated[Texts, AfterValidator(_check_origins)]
PublicURL = Annotated[str, AfterValidator(_check_public_url)]
ProxyURL = Annotated[SecretStr, AfterValidator(_check_proxy)]
