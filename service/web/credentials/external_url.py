"""The URL of a request as its client has written it, as far as the service can know it."""

from __future__ import annotations

import functools
import urllib.parse

from tornado.httputil import HTTPServerRequest

from service.urls import DEFAULT_PORTS, is_loopback
from service.web.credentials.proxy_headers import is_from_trusted_proxy


def external_url(request: HTTPServerRequest, public_url: str | None) -> str | None:
    """Return the URL of a request without its query, or None if the service cannot know it.

    Scheme and host are those of ``public_url``, else those that a trusted proxy reports, else those of the header
    ``Host`` if it names the loopback address that the client has connected to. The ``Host`` of any other client is not
    used: an attacker could present a proof for a server of their own here (``htu``, RFC 9449 section 4.3).

    The path of ``public_url`` is a prefix of every path. It is put before that of the request unless it is there, since
    a proxy may have removed it.

    Args:
        request: A request whose proxy headers have been read.
    """
    if not request.path.startswith("/"):
        return None  # the request target is a whole URL, which the client chooses, or an asterisk
    if public_url is not None:
        origin, prefix = _split(public_url)
        is_below = request.path == prefix or request.path.startswith(f"{prefix}/")
        return f"{origin}{request.path}" if is_below else f"{origin}{prefix}{request.path}"
    if is_from_trusted_proxy(request) or _names_own_loopback_address(request):
        return f"{request.protocol}://{request.host}{request.path}"
    return None


@functools.lru_cache(maxsize=8)
def _split(public_url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(public_url)
    return f"{parts.scheme}://{parts.netloc}", parts.path.removesuffix("/")


def _names_own_loopback_address(request: HTTPServerRequest) -> bool:
    """Return whether ``Host`` is a loopback name with the port at which the connection has arrived."""
    stream = getattr(request.connection, "stream", None)
    connection = getattr(stream, "socket", None)
    if connection is None:
        return False  # it is closed, or another framework has received the request
    address = connection.getsockname()
    if not isinstance(address, tuple) or not is_loopback(address[0]):  # the address of a Unix socket is a path
        return False
    try:
        host = urllib.parse.urlsplit(f"//{request.host}")
        port = host.port or DEFAULT_PORTS.get(request.protocol)
    except ValueError:
        return False
    return "@" not in host.netloc and is_loopback(host.hostname) and port == address[1]
