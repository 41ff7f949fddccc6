"""The base class of the handlers of the admin port."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import tornado.web

from service.tracing.current import make_request_id
from service.tracing.received import REQUEST_ID


class AdminHandler(tornado.web.RequestHandler):
    """Sends JSON that no cache stores, errors too."""

    request_id: str = ""

    def set_default_headers(self) -> None:
        """Set the header fields of every response."""
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Server")  # Tornado's version
        self.request_id = self.request_id or make_request_id()
        self.set_header(REQUEST_ID, self.request_id)

    def head(self) -> Awaitable[None] | None:
        """Respond like ``get``, or with 405 if the handler has none."""
        return self.get()  # Tornado sends the header alone (RFC 9110 section 9.3.2)

    def send_json_error(self, status: int, error: str, description: str) -> None:
        """Send an error as JSON, in the form of the service."""
        self.set_status(status)
        self.finish({"error": error, "error_description": description})

    def write_error(self, status_code: int, **_: Any) -> None:
        """Send the error that Tornado reports, in the same form."""
        error = {404: "not_found", 405: "method_not_allowed"}.get(status_code, "server_error")
        self.send_json_error(status_code, error, self._reason)


class NotFoundHandler(AdminHandler):
    """Serves the paths that do not exist."""

    def prepare(self) -> None:
        """Respond with 404."""
        raise tornado.web.HTTPError(404)
