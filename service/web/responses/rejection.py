"""The complete response to a rejected request, which a handler or another framework can write."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import tornado.web
from tornado.httputil import HTTPHeaders

from service.web.responses.challenge import ErrorResponse


@dataclass(frozen=True, kw_only=True, slots=True)
class RejectionResponse:
    """The response to a rejected request.

    Args:
        status: The HTTP status.
        headers: The header fields; ``headers.get_all()`` yields a name twice if it has two values.
        body: JSON with ``error`` and ``error_description``.
    """

    status: int
    headers: HTTPHeaders
    body: bytes

    @classmethod
    def of(cls, response: ErrorResponse, *, cors: Mapping[str, str]) -> Self:
        """Return the response with its header fields and its body complete.

        Args:
            cors: The header fields that let the page that sent the request read the response.
        """
        headers = response.header_fields()
        headers["Content-Type"] = "application/json; charset=UTF-8"
        headers["X-Content-Type-Options"] = "nosniff"
        headers.update(cors)
        return cls(status=response.status, headers=headers, body=json.dumps(response.content).encode())

    def write_to(self, handler: tornado.web.RequestHandler) -> None:
        """Finish the response of a Tornado handler, which must not have sent any part of another one."""
        handler.set_status(self.status)
        for name in self.headers:
            handler.clear_header(name)
        for name, value in self.headers.get_all():
            handler.add_header(name, value)
        handler.finish(self.body)
