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


def test_reads_of_the_control_plane_are_logged_at_debug_level(
    fake_issuer: RunningIssuer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "fakeissuer.access")
    for path, method in (("/_fake/clock", "GET"), ("/_fake/clock", "DELETE"), ("/oauth2/default/v1/keys", "GET")):
        assert send(f"{fake_issuer.url}{path}", method).status == 200
    fake_issuer.requests()  # runs on the loop after the last line was logged
    logged = [
        (entry.levelname, entry.getMessage(), vars(entry)["method"], vars(entry)["path"]) for entry in caplog.records
    ]
    assert logged == [
        ("DEBUG", "request handled", "GET", "/_fake/clock"),
        ("INFO", "request handled", "DELETE", "/_fake/clock"),
        ("INFO", "request handled", "GET", "/oauth2/default/v1/keys"),
    ]


def test_a_json_record_is_one_line() -> None:
    line = JsonFormatter().format(record("it\n%s", "failed", failed=True))
    assert "\n" not in line
    members = json.loads(line)
    assert (members["level"], members["message"]) == ("error", "it\nfailed")
    assert "ValueError" in members["exception"]


def test_extra_fields_are_shown_in_both_formats() -> None:
    entry = record("request handled")
    entry.method = "GET"
    members = json.loads(JsonFormatter().format(entry))
    assert (members["method"], members["message"]) == ("GET", "request handled")
    assert TextFormatter("%(levelname)s %(message)s").format(entry) == "ERROR request handled method=GET"


def test_a_client_cannot_inject_a_line_break() -> None:
    assert TextFormatter("%(message)s").format(record("a\rb")) == "a\\rb"


@pytest.mark.parametrize(("message", "kept"), [("Malformed HTTP message from %s: %s", False), ("GET /", True)])
def test_tornados_message_that_quotes_a_header_is_dropped(message: str, *, kept: bool) -> None:
    assert without_quoted_requests(record(message)) is kept


def test_a_client_cannot_control_the_terminal() -> None:
    entry = record("a\x1b[2J\x9b\u2028\u202eb", failed=True)
    entry.path = "/\x85"
    first, *others = TextFormatter("%(message)s").format(entry).split("\n")
    assert first == "a\\x1b[2J\\x9b\\u2028\\u202eb path=/\\x85"
    assert all(line.startswith("    ") for line in others)
