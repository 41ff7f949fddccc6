"""Responses to requests that no handler receives, because a limit is exceeded or they are malformed."""

from __future__ import annotations

import http
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tornado.httputil import format_timestamp

from service.tracing.received import REQUEST_ID
from service.web.responses.challenge import error_response_for_status

BARE_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""Tornado's response to each request that it cannot read."""

_TOO_LARGE = frozenset({"Content-Length too long", "chunked body too large", "decompressed body too large"})
"""The texts of Tornado's exceptions for a body over the limit; others mean a malformed request."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejection:
    """The status of a rejected request, and the setting that it exceeds.

    Args:
        limit: The name of the setting; empty for a malformed request.
        description: A sentence for the client, if that of the status does not fit.
    """

    status: int
    limit: str = ""
    description: str = ""

    @property
    def headers(self) -> Mapping[str, str]:
        """The fields of the response; the connection ends with it, as the rest of the request is not read."""
        fields = {
            "Content-Type": "application/json; charset=UTF-8",
            "Content-Length": str(len(self.body)),
            "Cache-Control": "no-store",
            "Date": format_timestamp(time.time()),
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }
        return fields | {"Retry-After": "1"} if self.status == 503 else fields

    @property
    def reason_phrase(self) -> str:
        """The text after the status."""
        return http.HTTPStatus(self.status).phrase

    @property
    def body(self) -> bytes:
        """The JSON of the response."""
        response = error_response_for_status(self.status)
        description = self.description or response.description
        return json.dumps({"error": response.error, "error_description": description}).encode()

    def to_bytes(self, request_id: str) -> bytes:
        """Return the complete response.

        Args:
            request_id: That of the line in the log.
        """
        fields = {**self.headers, REQUEST_ID: request_id}
        lines = [
            f"HTTP/1.1 {self.status} {self.reason_phrase}",
            *(f"{n}: {v}" for n, v in fields.items()),
            "",
            "",
        ]
        return "\r\n".join(lines).encode() + self.body


URI_TOO_LONG = Rejection(status=414, limit="max_header_size")
HEADER_TOO_LARGE = Rejection(status=431, limit="max_header_size")
HEADER_TIMEOUT = Rejection(status=408, limit="header_timeout")
BODY_TIMEOUT = Rejection(status=408, limit="body_timeout")
BODY_TOO_LARGE = Rejection(status=413, limit="max_body_size")
MALFORMED = Rejection(status=400)
NO_CONNECTION_LEFT = Rejection(
    status=503, limit="max_connections", description="The server has too many connections, try again later"
)


def rejection_for(error: BaseException | None) -> Rejection:
    """Return the rejection for the exception that ended Tornado's reading of a request."""
    return BODY_TOO_LARGE if str(error) in _TOO_LARGE else MALFORMED
