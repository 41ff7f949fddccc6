"""Reports each request to an issuer: to the instrumentation, as a span, and as a line at DEBUG."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator

from tornado.httpclient import HTTPRequest, HTTPResponse

from service.instrumentation import Instrumentation
from service.tracing.spans import Tracing

_logger = logging.getLogger(__name__)

_ISSUER_REQUEST_IDS = ("X-Okta-Request-Id", "X-Request-Id")
"""The fields by which the operators of an issuer find a request in their log."""


@contextlib.contextmanager
def observed(
    request: HTTPRequest, *, purpose: str, instrumentation: Instrumentation, tracing: Tracing | None
) -> Iterator[Callable[[HTTPResponse], None]]:
    """Report the request that the block sends, and yield the function to call with its response.

    Args:
        purpose: What is requested, in the name of the span.
        tracing: Creates the span, and propagates the trace in the header; None if tracing is off.
    """
    url, started_at = request.url.partition("?")[0], time.monotonic()
    fields: dict[str, object] = {"method": request.method, "url": url}
    outcome = "failed"
    with contextlib.ExitStack() as stack:
        span = None
        if tracing is not None:
            span = stack.enter_context(tracing.issuer_request(purpose, method=request.method, url=request.url))
            request.headers.update(span.headers)

        def respond(response: HTTPResponse) -> None:
            nonlocal outcome
            outcome = str(response.code)
            if span is not None:
                span.respond(response.code)
            for name in _ISSUER_REQUEST_IDS:
                if identifier := response.headers.get(name):
                    fields.setdefault("issuer_request_id", identifier)

        try:
            yield respond
        finally:
            seconds = time.monotonic() - started_at
            instrumentation.on_issuer_request(url=url, outcome=outcome, seconds=seconds)
            fields |= {"outcome": outcome, "duration_ms": round(1000 * seconds, 1)}
            _logger.debug("request to issuer", extra=fields)
