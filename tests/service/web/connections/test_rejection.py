from __future__ import annotations

import json

import pytest
from tornado.httputil import HTTPHeaders, HTTPInputError

from service.web.connections import rejection
from service.web.connections.rejection import Rejection, rejection_for


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (HTTPInputError("Content-Length too long"), rejection.BODY_TOO_LARGE),
        (HTTPInputError("chunked body too large"), rejection.BODY_TOO_LARGE),
        (HTTPInputError("decompressed body too large"), rejection.BODY_TOO_LARGE),
        (HTTPInputError("Malformed HTTP request line"), rejection.MALFORMED),
        (None, rejection.MALFORMED),
    ],
)
def test_an_exception_of_tornado_determines_the_status(error: Exception | None, expected: Rejection) -> None:
    assert expected is rejection_for(error)


@pytest.mark.parametrize(
    "one",
    [one for one in vars(rejection).values() if isinstance(one, Rejection)],
    ids=lambda one: f"{one.status}-{one.limit}",
)
def test_a_rejection_is_a_complete_response_in_json(one: Rejection) -> None:
    head, _, body = one.to_bytes("4f1c").partition(b"\r\n\r\n")
    start_line, _, fields = head.decode().partition("\r\n")
    headers = HTTPHeaders.parse(fields)
    assert start_line.startswith(f"HTTP/1.1 {one.status} ")
    assert len(body) == int(headers["Content-Length"])
    assert ("close", "no-store", "nosniff") == (
        headers["Connection"],
        headers["Cache-Control"],
        headers["X-Content-Type-Options"],
    )
    assert ("Retry-After" in headers) is (one.status == 503)
    assert {"error", "error_description"} == json.loads(body).keys()
