"""Connections to issuers, kept open by libcurl: what Tornado's client for it leaves to be set."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient


class CurlClient(CurlAsyncHTTPClient):
    """Keeps open what a burst of questions has opened, so that the next one need not shake hands again."""

    def initialize(self, *, max_clients: int, max_body_size: int) -> None:  # type: ignore[override]  # no defaults here
        """Set up this many connections, each for answers of at most so many bytes; Tornado calls it."""
        super().initialize(max_clients=max_clients, max_body_size=max_body_size)
        # By itself curl keeps four for each request under way, and closes the others while little is asked.
        self._multi.setopt(pycurl.M_MAXCONNECTS, 4 * max_clients)

    def close(self) -> None:
        """Close the connections, with questions under way as well."""
        super().close()
        # While it closes, curl plans one more look at what was under way, and Tornado would take it at nothing.
        if self._timeout is not None:
            self.io_loop.remove_timeout(self._timeout)


def proxy_options(proxy: str | None) -> dict[str, Any]:
    """Return what a request says of a proxy, ``http://[user:password@]host:port``; nothing where there is none."""
    if proxy is None:
        return {}
    parts = urllib.parse.urlsplit(proxy)
    return {
        "proxy_host": parts.hostname,
        "proxy_port": parts.port or 8080,
        "proxy_username": urllib.parse.unquote(parts.username) if parts.username else None,
        "proxy_password": urllib.parse.unquote(parts.password) if parts.password else None,
    }
