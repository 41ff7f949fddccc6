from __future__ import annotations

import json
import logging

import pytest

from service.operations.logs.configuration import announce, configure_logging, report_start_error
from service.tracing.current import CurrentRequest, in_request


def test_json_format_has_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="json", log_level="info")
    logging.getLogger("service.access").info("GET /", extra={"status": 200})
    line = json.loads(capsys.readouterr().err)
    assert ("INFO", "service.access", "GET /", 200) == (line["level"], line["logger"], line["message"], line["status"])
    assert "time" in line


def test_text_format_has_time_level_and_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="warning")
    logging.getLogger("service.access").info("GET /")
    logging.getLogger("service").warning("watch out")
    assert capsys.readouterr().err.endswith("WARNING service: watch out\n")


def test_text_format_appends_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="info")
    logging.getLogger("service").warning("deny list entry added", extra={"kind": "sub", "attempts": 2})
    assert capsys.readouterr().err.endswith("WARNING service: deny list entry added kind=sub attempts=2\n")


def test_text_format_does_not_repeat_a_field_of_the_message(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="info")
    fields = {"method": "GET", "status": 200, "reason": "expired"}
    logging.getLogger("service").info("%(method)s %(status)d", fields, extra=fields)
    assert capsys.readouterr().err.endswith("service: GET 200 reason=expired\n")


def test_text_format_appends_the_fields_before_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="info")
    error = RuntimeError("broken")
    logging.getLogger("service").error("unhandled exception", exc_info=error, extra={"error_id": "abc"})
    first, last = capsys.readouterr().err.splitlines()
    assert first.endswith("unhandled exception error_id=abc")
    assert "    RuntimeError: broken" == last


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('x" reason="y', r'"x\" reason=\"y"'),
        ("x\nERROR service: forged", r'"x\nERROR service: forged"'),
        ("\x1b[2J", r'"\u001b[2J"'),
    ],
)
def test_a_value_cannot_look_like_another_field_or_line(
    value: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(log_format="text", log_level="info")
    logging.getLogger("service").info("rejected", extra={"client_id": value})
    assert capsys.readouterr().err.endswith(f"service: rejected client_id={shown}\n")


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_fields_with_credentials_are_hidden(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, log_level="info")
    logging.getLogger("handlers").info("request", extra={"token": "sesame", "client_secret": "sesame", "route": "/a"})
    err = capsys.readouterr().err
    assert "sesame" not in err
    assert 2 == err.count("(hidden)")
    assert "/a" in err


def test_the_line_of_tornado_about_a_rejected_request_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="debug")
    general = logging.getLogger("tornado.general")
    general.info("Malformed HTTP message from %s: %s", "127.0.0.1", "Invalid header value 'Bearer sesame'")
    general.info("something else about %s", "a request")
    err = capsys.readouterr().err
    assert "sesame" not in err
    assert "Malformed" not in err
    assert "something else about a request" in err


def test_headers_of_the_http_client_are_not_logged() -> None:
    configure_logging(log_format="text", log_level="debug")
    assert not logging.getLogger("tornado.curl_httpclient").isEnabledFor(logging.DEBUG)


UNPRINTABLE = "\x1b[2J \x9b2J \x85 \u2028 \u202e \u2066 \ufeff"


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_control_characters_are_escaped_wherever_they_stand(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(log_format=log_format, log_level="info")
    logger = logging.getLogger(f"handlers{UNPRINTABLE}")
    logger.error(UNPRINTABLE, exc_info=ValueError(UNPRINTABLE), extra={"client_id": UNPRINTABLE}, stack_info=True)
    lines = capsys.readouterr().err.split("\n")
    assert all(line.isprintable() for line in lines)
    assert "2J" in lines[0]


def test_a_message_is_one_line_and_the_lines_of_a_traceback_are_indented(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="info")
    error = RuntimeError("broken\n2026-01-01T00:00:00.000Z INFO    service: forged")
    logging.getLogger("service").error("a\nb", exc_info=error)
    first, *others = capsys.readouterr().err.splitlines()
    assert first.endswith("service: a\\nb")
    assert all(line.startswith("    ") for line in others)


@pytest.mark.parametrize("log_level", ["info", "error"])
def test_the_address_is_announced_at_every_level(log_level: str, capsys: pytest.CaptureFixture[str]) -> None:
    announce("http://127.0.0.1:1")
    configure_logging(log_format="text", log_level=log_level)
    announce("http://127.0.0.1:1")
    assert ["listening on http://127.0.0.1:1"] * 2 == capsys.readouterr().err.splitlines()
    configure_logging(log_format="json", log_level=log_level)
    announce("http://127.0.0.1:1")
    line = json.loads(capsys.readouterr().err)
    assert ("listening on http://127.0.0.1:1", "http://127.0.0.1:1") == (line["message"], line["url"])


def test_a_start_error_is_json_if_the_log_is(capsys: pytest.CaptureFixture[str]) -> None:
    report_start_error("port: is taken")
    configure_logging(log_format="text", log_level="info")
    report_start_error("port: is taken")
    assert ["port: is taken"] * 2 == capsys.readouterr().err.splitlines()
    configure_logging(log_format="json", log_level="error")
    report_start_error("port: is taken\nissuer: is not set")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [("CRITICAL", "port: is taken"), ("CRITICAL", "issuer: is not set")] == [
        (line["level"], line["message"]) for line in lines
    ]


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_line_names_the_current_request(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, log_level="info")
    logger = logging.getLogger("handlers")
    with in_request(CurrentRequest("abc")):
        logger.info("inside")
    with in_request(CurrentRequest("def", trace_id="1" * 32)):
        logger.info("inside", extra={"request_id": "of its own"})
    logger.info("outside")
    first, second, third = capsys.readouterr().err.splitlines()
    assert "abc" in first
    assert "of its own" in second
    assert "1" * 32 in second
    assert "request_id" not in third


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_the_time_is_in_utc_with_its_zone(log_format: str, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format=log_format, log_level="info")
    logging.getLogger("handlers").handle(
        logging.makeLogRecord({"created": 1_700_000_000.25, "levelname": "INFO", "levelno": 20})
    )
    assert "2023-11-14T22:13:20.250Z" in capsys.readouterr().err
