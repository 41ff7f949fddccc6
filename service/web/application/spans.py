"""The span of a request: its attributes by the stable HTTP conventions of OpenTelemetry, and ours of its token.

No attribute contains a header field other than ``User-Agent``, the value of a query parameter, or a claim.
"""

from __future__ import annotations

import re
import time

import tornado.web
from tornado.httputil import HTTPServerRequest

from service.errors import Reason
from service.tokens.principal import Principal
from service.tracing.current import CURRENT_REQUEST, CurrentRequest
from service.tracing.spans import Tracing
from service.web.application.route_template import find_route
from service.web.handler.mixin import BearerAuthMixin
from service.web.responses.methods import METHODS

Attributes = dict[str, str | int | bool]

_NAME = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,32}", re.ASCII)
_REDACTED = "REDACTED"
_ACCEPTED = frozenset(
    {
        Reason.INSUFFICIENT_SCOPE,
        Reason.GROUP_REQUIRED,
        Reason.ROLE_REQUIRED,
        Reason.CLAIM_MISMATCH,
        Reason.CLIENT_FORBIDDEN,
        Reason.ACCESS_DENIED,
        Reason.INSUFFICIENT_ACR,
        Reason.AUTHENTICATION_TOO_OLD,
    }
)
"""The reasons for which a request is rejected although its token is valid."""
_UNAVAILABLE = "issuer_unavailable"


def start_span(tracing: Tracing, current: CurrentRequest, request: HTTPServerRequest, headers: dict[str, str]) -> None:
    """Start the span of a request, and give the request the ID of its trace if it has none of its own.

    Args:
        headers: The trace of a trusted proxy.
    """
    attributes: Attributes = {
        "http.request.method": _method(request),
        "url.scheme": request.protocol,
        "url.path": request.path,
        "client.address": request.remote_ip or "",
        "network.protocol.version": request.version.removeprefix("HTTP/"),
        "server.address": request.host_name,
    }
    if attributes["http.request.method"] == "_OTHER":
        attributes["http.request.method_original"] = (request.method or "")[:32]
    if request.query:
        attributes["url.query"] = redact_query(request.query)
    if agent := request.headers.get("User-Agent"):
        attributes["user_agent.original"] = agent[:256]
    current.span = tracing.start_request(
        started_at=time.time() - request.request_time(), headers=headers, attributes=attributes
    )
    current.trace_id = current.span.ids()[0]


def end_span(handler: tornado.web.RequestHandler) -> None:
    """End the span of a response that is complete; that of a WebSocket ends with its handshake."""
    current: CurrentRequest | None = vars(handler.request).get(CURRENT_REQUEST)
    if current is None or current.span is None:
        return
    status = tornado.web.RequestHandler.get_status(handler)  # a handler may override it
    method, route = _method(handler.request), find_route(handler)
    attributes: Attributes = {"http.response.status_code": status}
    if route is not None:
        attributes["http.route"] = route
    if status >= 500:
        attributes["error.type"] = str(status)
    if isinstance(handler, BearerAuthMixin):
        attributes |= _token_attributes(handler, current)
    shown = "HTTP" if method == "_OTHER" else method
    name = shown if route is None else f"{shown} {route}"
    current.span.end(name=name, attributes=attributes, is_error=status >= 500)


def abandon_span(request: HTTPServerRequest) -> None:
    """End the span of a request whose client has disconnected before the request was complete."""
    current: CurrentRequest | None = vars(request).get(CURRENT_REQUEST)
    if current is not None and current.span is not None:
        current.span.end(name=_method(request), attributes={"error.type": "client_disconnected"}, is_error=False)


def redact_query(query: str) -> str:
    """Return a query with each value redacted, and each name that does not look like one: any may be a token."""
    parts = []
    for part in query.split("&")[:32]:
        name, equals, _ = part.partition("=")
        parts.append(f"{name if equals and _NAME.fullmatch(name) else _REDACTED}={_REDACTED}")
    return "&".join(parts)


def _token_attributes(handler: BearerAuthMixin, current: CurrentRequest) -> Attributes:
    """Return what became of the token of a request; nothing if it has none, or if none was read."""
    principal: Principal | None = vars(handler).get("_principal")
    reason, validator = handler.rejection_reason, current.validator
    attributes: Attributes = {} if reason is None else {"resource_server.rejection.reason": reason}
    if principal is not None or reason in _ACCEPTED:
        outcome = "accepted"
    elif reason is None or reason == Reason.MISSING_TOKEN:
        return attributes
    else:
        outcome = "unavailable" if reason == _UNAVAILABLE else "rejected"
    attributes["resource_server.token.outcome"] = outcome
    issuer = getattr(validator, "jwt_issuer", None) if principal is None else principal.issuer
    if issuer is not None:
        attributes["resource_server.token.issuer"] = issuer
    if validator is not None:
        attributes["resource_server.token.validator"] = type(validator).__name__
    return attributes


def _method(request: HTTPServerRequest) -> str:
    return request.method if request.method in METHODS else "_OTHER"
