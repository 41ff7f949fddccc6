"""Responds to HEAD by the ``get`` of a handler that has no ``head`` (RFC 9110 section 9.3.2)."""

from __future__ import annotations

from asyncio import Future
from typing import Any

import tornado.web


def serve_head_by_get(handler: Any) -> None:
    """Let a new handler respond to its HEAD request by ``get``, with the same header fields and no content.

    The request ends with the header: a stream of events would otherwise go on without sending anything, and block the
    next request on the connection.
    """
    flush = handler.flush

    def flush_header(include_footers: bool = False) -> Future[None]:  # noqa: FBT001, FBT002  # Tornado's signature
        future: Future[None] = flush(include_footers)
        if not include_footers:
            raise tornado.web.Finish
        return future

    vars(handler).update(head=handler.get, flush=flush_header)
