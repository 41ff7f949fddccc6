"""The fields of the current request on every log line."""

from __future__ import annotations

import logging

from service.tracing.current import CurrentRequest, current_request


def request_fields(current: CurrentRequest) -> dict[str, str]:
    """Return ``request_id``, and ``trace_id`` and ``span_id`` if there is a trace."""
    if current.span is not None:
        trace_id, span_id = current.span.ids()
        return {"request_id": current.request_id, "trace_id": trace_id, "span_id": span_id}
    if current.trace_id is not None:
        return {"request_id": current.request_id, "trace_id": current.trace_id}
    return {"request_id": current.request_id}


def add_request_fields(record: logging.LogRecord) -> bool:
    """Add the fields of the current request to a record, unless it has them; a filter for a handler of ``logging``."""
    current = current_request.get()
    if current is not None:
        fields = vars(record)
        for name, value in request_fields(current).items():
            fields.setdefault(name, value)
    return True
