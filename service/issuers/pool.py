"""The pool of connections to issuers: options of libcurl that Tornado's client does not set."""

from __future__ import annotations

import re
import urllib.parse
from typing import Any

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient

_QUOTED_PROXY = re.compile(r"'\S*@\S*'")


class CurlClient(CurlAsyncHTTPClient):
    """A client that keeps the connections of a burst open, which saves the next burst its TLS handshakes."""

    def initialize(self, *, max_clients: int, max_body_size: int) -> None:  # type: ignore[override]  # no defaults here
        """Set the limits; Tornado calls this in place of ``__init__``.

        Args:
            max_clients: Connections.
            max_body_size: Bytes of a response.
        """
        super().initialize(max_clients=max_clients, max_body_size=max_body_size)
        # By default curl keeps four connections per active request, and closes the others when traffic is low.
        self._multi.setopt(pycurl.M_MAXCONNECTS, 4 * max_clients)

    def close(self) -> None:
        """Close the connections, even those with requests in progress."""
        super().close()
        # Closing makes curl schedule one more timeout, in which Tornado would use the closed handle.
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)


def proxy_options(proxy: str | None) -> dict[str, Any]:
    """Return the request options for a proxy, ``http://[user:password@]host:port``; empty for None."""
    if proxy is None:
        return {}
    parts = urllib.parse.urlsplit(proxy)
    return {
        "proxy_host": parts.hostname,
        "proxy_port": parts.port or 8080,
        "proxy_username": urllib.parse.unquote(parts.username) if parts.username else None,
        "proxy_password": urllib.parse.unquote(parts.password or ""),
    }


def hide_proxy(message: str) -> str:
    """Return an error message of libcurl without the proxy that it quotes from the environment, with its password."""
    return _QUOTED_PROXY.sub("'(hidden)'", message)


def bypass_proxy(curl: pycurl.Curl) -> None:
    """Connect directly, for a request to a loopback address: a proxy has another loopback, and would see the token."""
    curl.setopt(pycurl.PROXY, "")
