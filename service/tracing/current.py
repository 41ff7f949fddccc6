"""The current request, which the tasks that it starts inherit."""

from __future__ import annotations

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import getrandbits

from service.tracing.spans import RequestSpan

CURRENT_REQUEST = "current_request"
"""The attribute of a request of Tornado that holds its :class:`CurrentRequest`."""


@dataclass(slots=True)
class CurrentRequest:
    """What is known of a request wherever code runs for it.

    Args:
        request_id: The ID that the client receives as ``X-Request-Id``.
        trace_id: The trace of a trusted proxy, which is logged even if tracing is off.
        span: The server span; None if tracing is off.
        validator: The validator that was called last, or None if the token was cached or there is none.
    """

    request_id: str = ""
    trace_id: str | None = None
    span: RequestSpan | None = None
    validator: object = None


current_request: contextvars.ContextVar[CurrentRequest | None] = contextvars.ContextVar(
    "service_current_request", default=None
)


def make_request_id() -> str:
    """Return the ID of a request that has none; it need not be secret."""
    return f"{getrandbits(128):032x}"


def request_id() -> str | None:
    """Return the ID of the request for which this code runs; None outside a request."""
    current = current_request.get()
    return None if current is None else current.request_id


@contextmanager
def in_request(current: CurrentRequest | None) -> Iterator[None]:
    """Run a block for a request, in a context that is not its own."""
    token = current_request.set(current)
    try:
        if current is None or current.span is None:
            yield
        else:
            with current.span.active():
                yield
    finally:
        current_request.reset(token)


def outside_requests() -> contextvars.Context:
    """Return a context for work that outlives the request that happens to start it."""
    return contextvars.Context()
