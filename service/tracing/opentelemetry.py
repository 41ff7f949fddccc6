"""Tracing with OpenTelemetry: spans by the stable HTTP conventions, through the provider of the process."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from service.tracing.spans import IssuerSpan, RequestSpan
from service.version import __version__

_W3C = TraceContextTextMapPropagator()
"""The only propagator: baggage would carry what a client has sent to the issuers."""


class OpenTelemetry:
    """Creates spans with the global provider, which may be set later."""

    def __init__(self) -> None:
        self._tracer = trace.get_tracer("tornado-resource-server", __version__)

    def start_request(
        self, *, started_at: float, headers: dict[str, str], attributes: dict[str, str | int | bool]
    ) -> RequestSpan:
        """Start the span of a request; without ``headers``, it begins a trace."""
        parent = _W3C.extract(headers, Context())
        span = self._tracer.start_span(
            str(attributes["http.request.method"]),
            parent,
            kind=SpanKind.SERVER,
            attributes=attributes,
            start_time=int(1e9 * started_at),
        )
        return _RequestSpan(span, trace.set_span_in_context(span, parent))

    @contextmanager
    def issuer_request(self, name: str, *, method: str, url: str) -> Iterator[IssuerSpan]:
        """Run the block in the span of a request to an issuer."""
        parts = urllib.parse.urlsplit(url)
        attributes: dict[str, str | int] = {
            "http.request.method": method,
            "server.address": parts.hostname or "",
            "server.port": parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0),
            "url.full": urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")),
        }
        with self._tracer.start_as_current_span(
            f"{method} {name}",
            kind=SpanKind.CLIENT,
            attributes=attributes,
            record_exception=False,  # the message of an exception may quote the response
            set_status_on_exception=False,
        ) as span:
            issuer_span = _IssuerSpan(span)
            try:
                yield issuer_span
            except BaseException as exc:
                issuer_span.fail(type(exc).__qualname__)
                raise


class _RequestSpan:
    """The span of a request."""

    def __init__(self, span: Span, context: Context) -> None:
        self._span = span
        self._context = context

    def ids(self) -> tuple[str, str]:
        """Return the IDs of the innermost span of the same trace, which may be one of the application."""
        own, current = self._span.get_span_context(), trace.get_current_span().get_span_context()
        span_id = current.span_id if current.trace_id == own.trace_id else own.span_id
        return trace.format_trace_id(own.trace_id), trace.format_span_id(span_id)

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make the span the current one for the block, and for the tasks that it starts."""
        token = contexts.attach(self._context)
        try:
            yield
        finally:
            contexts.detach(token)

    def end(self, *, name: str, attributes: dict[str, str | int | bool], is_error: bool) -> None:
        """End the span."""
        if self._span.is_recording():  # not so after the first call
            self._span.update_name(name)
            self._span.set_attributes(attributes)
            if is_error:
                self._span.set_status(Status(StatusCode.ERROR))
            self._span.end()


class _IssuerSpan:
    """The span of a request to an issuer."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._has_failed = False
        self.headers: dict[str, str] = {}
        _W3C.inject(self.headers)

    def respond(self, status: int) -> None:
        """Note the status; for a client, 4xx is an error as well."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 400:
            self.fail(str(status))

    def fail(self, error_type: str) -> None:
        """Note an error, of which the first is the cause of the others."""
        if not self._has_failed:
            self._has_failed = True
            self._span.set_attribute("error.type", error_type)
            self._span.set_status(Status(StatusCode.ERROR))
