from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from service.operations.logs import configure_logging


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root, general = logging.getLogger(), logging.getLogger("tornado.general")
    handlers, level, filters = root.handlers[:], root.level, general.filters[:]
    yield
    root.handlers[:], general.filters[:] = handlers, filters
    root.setLevel(level)


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


def test_a_malformed_request_is_not_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(log_format="text", log_level="debug")
    general = logging.getLogger("tornado.general")
    general.info("Malformed HTTP message from %s: %s", "127.0.0.1", "Invalid header value 'Bearer sesame'")
    general.info("something else about %s", "a request")
    err = capsys.readouterr().err
    assert "sesame" not in err
    assert "Malformed HTTP message from 127.0.0.1" in err
    assert "something else about a request" in err


def test_headers_of_the_http_client_are_not_logged() -> None:
    configure_logging(log_format="text", log_level="debug")
    assert not logging.getLogger("tornado.curl_httpclient").isEnabledFor(logging.DEBUG)
