"""The request ID and the trace that a trusted proxy sends with a request."""

from __future__ import annotations

import re

from tornado.httputil import HTTPHeaders

from service.tracing.current import CurrentRequest

REQUEST_ID = "X-Request-Id"
_REQUEST_ID = re.compile(r"(?!.*eyJ)[A-Za-z0-9_.:/+=@~-]{1,128}", re.ASCII)
"""Characters that need no quotes in a log; ``eyJ`` begins each part of a JWT, which a log must not contain."""
# W3C Trace Context, sections 3.2.2 and 3.2.2.1: a future version may have more fields.
_TRACEPARENT = re.compile(r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


def read_trace(headers: HTTPHeaders) -> tuple[str | None, dict[str, str]]:
    """Return the ID of the trace in a request's header, and the fields to continue it; None and none without one.

    Two ``traceparent`` fields are ignored (W3C Trace Context section 3.2.1).
    """
    parents = headers.get_list("traceparent")
    found = _TRACEPARENT.fullmatch(parents[0]) if len(parents) == 1 else None
    if found is None or (found[1] == "00" and found[5]):
        return None, {}
    fields = {"traceparent": parents[0]}
    if states := headers.get_list("tracestate"):
        fields["tracestate"] = ",".join(states)
    return found[2], fields


def read_request_id(headers: HTTPHeaders) -> str | None:
    """Return the ``X-Request-Id`` of a request; None if there is none, several, or one with other characters."""
    values = headers.get_list(REQUEST_ID)
    if len(values) != 1 or not _REQUEST_ID.fullmatch(values[0]):
        return None
    return values[0]


def identify(headers: HTTPHeaders) -> tuple[CurrentRequest, dict[str, str]]:
    """Return a request as its trusted proxy has identified it, and the fields to continue its trace."""
    trace_id, fields = read_trace(headers)
    return CurrentRequest(read_request_id(headers) or "", trace_id), fields
