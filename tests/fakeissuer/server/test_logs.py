from __future__ import annotations

import json
import logging
import sys

import pytest
from plain_http import send

from fakeissuer.server.logs import JsonFormatter, TextFormatter, without_quoted_requests
from fakeissuer.server.running_issuer import RunningIssuer


def record(message: str, *arguments: object, failed: bool = False) -> logging.LogRecord:
    exc_info = None
    if failed:
        try:
            int("x")
        except ValueError:
            exc_info = sys.exc_info()
    return logging.LogRecord("fakeissuer", logging.ERROR, __file__, 1, message, arguments, exc_info)


def test_whoever_looks_at_the_control_plane_is_not_told_of(
    fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "fakeissuer.access")
    for path, method in (("/_fake/clock", "GET"), ("/_fake/clock", "DELETE"), ("/oauth2/default/v1/keys", "GET")):
        assert send(f"{fake_issuer.url}{path}", method).status == 200
    fake_issuer.requests()  # the loop has gone on: the last line is written
    logged = [(entry.levelname, entry.getMessage().rpartition(" ")[0]) for entry in caplog.records]
    assert logged == [
        ("DEBUG", "GET /_fake/clock 200"),
        ("INFO", "DELETE /_fake/clock 200"),
        ("INFO", "GET /oauth2/default/v1/keys 200"),
    ]


def test_json_is_one_object_on_one_line() -> None:
    line = JsonFormatter().format(record("it\n%s", "failed", failed=True))
    assert "\n" not in line
    members = json.loads(line)
    assert (members["level"], members["message"]) == ("error", "it\nfailed")
    assert "ValueError" in members["exception"]


def test_an_event_is_told_by_its_members() -> None:
    made = record("x")
    made.event = {"method": "GET"}
    members = json.loads(JsonFormatter().format(made))
    assert (members["method"], "message" in members) == ("GET", False)


def test_a_client_cannot_start_a_line() -> None:
    assert TextFormatter("%(message)s").format(record("a\rb")) == "a\\rb"


@pytest.mark.parametrize(("message", "kept"), [("Malformed HTTP message from %s: %s", False), ("GET /", True)])
def test_tornados_line_that_quotes_a_header_is_dropped(message: str, *, kept: bool) -> None:
    assert without_quoted_requests(record(message)) is kept
