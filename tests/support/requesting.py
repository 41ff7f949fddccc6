"""Makes a request as it comes off the wire, for what reads requests."""

from __future__ import annotations

from unittest.mock import create_autospec

from tornado.httputil import HTTPConnection, HTTPHeaders, HTTPServerRequest, RequestStartLine


def request(*fields: str, method: str = "GET", uri: str = "/", body: bytes = b"") -> HTTPServerRequest:
    """Return a request with these header fields, each a line, and with its body parsed as Tornado does."""
    headers = HTTPHeaders.parse("".join(f"{field}\r\n" for field in ("Host: api.example", *fields)))
    made = HTTPServerRequest(
        start_line=RequestStartLine(method, uri, "HTTP/1.1"),
        headers=headers,
        body=body,
        connection=create_autospec(HTTPConnection, instance=True, context=None),
    )
    made._parse_body()
    return made
