"""A plain HTTP client, so that tests see exactly what is sent."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

TIMEOUT_S = 10


@dataclass(frozen=True)
class Response:
    """The response to a request."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


Send = Callable[..., Response]


def send(
    url: str,
    method: str = "GET",
    *,
    form: dict[str, Any] | None = None,
    body: bytes | None = None,
    client: str | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """Send one request on a connection of its own; ``client`` is ``id:secret``, for Basic."""
    parts = urlsplit(url)
    sent = dict(headers or {})
    if form is not None:
        body = urlencode(form, doseq=True).encode()
        sent = {"Content-Type": "application/x-www-form-urlencoded", **sent}
    if client is not None:
        sent["Authorization"] = "Basic " + base64.b64encode(client.encode()).decode()
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request(method, parts.path + (f"?{parts.query}" if parts.query else ""), body, sent)
        answer = connection.getresponse()
        return Response(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
