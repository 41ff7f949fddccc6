"""The pool of connections to issuers: options of libcurl that Tornado's client does not set."""

from __future__ import annotations

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient


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
