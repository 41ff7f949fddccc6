"""Makes Tornado's request object of a request that another framework, or a test, has."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterable

from tornado.httputil import HTTPHeaders, HTTPInputError, HTTPServerRequest, RequestStartLine

from service.errors import InvalidRequest, Reason


def make_request(
    method: str, url: str, headers: Iterable[tuple[str, str]] = (), *, remote_ip: str | None = None
) -> HTTPServerRequest:
    """Return a request without a body.

    Args:
        url: The whole URL.
        headers: Each header field, a repeated one as often as the client has sent it.
        remote_ip: The address of the client, whose introspection requests are limited; None for no limit.

    Raises:
        InvalidRequest: Tornado would reject a header field or the host.
    """
    parts = urllib.parse.urlsplit(url)
    uri = parts.path or "/"
    start_line = RequestStartLine(method, f"{uri}?{parts.query}" if parts.query else uri, "HTTP/1.1")
    fields = HTTPHeaders()
    try:
        for name, value in headers:
            fields.add(name, value)  # an assignment would hide all but the last of two Authorization fields
        if "Host" not in fields:
            fields["Host"] = parts.netloc
        request = HTTPServerRequest(start_line=start_line, headers=fields)
    except HTTPInputError as exc:
        raise InvalidRequest(Reason.MALFORMED_CREDENTIALS, str(exc)) from None
    request.protocol = parts.scheme
    request.remote_ip = remote_ip
    return request
