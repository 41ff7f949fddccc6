from __future__ import annotations

import contextlib
import logging
from typing import Any

from service.tracing.current import CurrentRequest, in_request
from service.tracing.log_fields import add_request_fields, request_fields


class Span:
    """A span with known IDs."""

    active = contextlib.nullcontext

    def ids(self) -> tuple[str, str]:
        return "1" * 32, "2" * 16

    def end(self, **values: Any) -> None:
        """Do nothing."""


def test_the_fields_of_a_request_are_its_id_its_trace_and_its_span() -> None:
    assert {"request_id": "abc"} == request_fields(CurrentRequest("abc"))
    assert {"request_id": "abc", "trace_id": "3" * 32} == request_fields(CurrentRequest("abc", "3" * 32))
    assert {"request_id": "abc", "trace_id": "1" * 32, "span_id": "2" * 16} == request_fields(
        CurrentRequest("abc", "1" * 32, Span())
    )


def test_a_record_keeps_its_own_fields() -> None:
    record = logging.makeLogRecord({"request_id": "own"})
    with in_request(CurrentRequest("abc", "1" * 32, Span())):
        assert add_request_fields(record)
    assert ("own", "2" * 16) == (vars(record)["request_id"], vars(record)["span_id"])


def test_a_record_outside_requests_has_no_fields() -> None:
    record = logging.makeLogRecord({})
    before = dict(vars(record))
    assert add_request_fields(record)
    assert before == vars(record)
