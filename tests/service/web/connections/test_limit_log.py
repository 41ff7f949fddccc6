from __future__ import annotations

import pytest

from service.web.connections.limit_log import LimitLog


def test_a_limit_is_logged_once_a_second_with_the_number_of_lines_left_out(caplog: pytest.LogCaptureFixture) -> None:
    times = iter([0.0, 0.2, 0.9, 1.0, 1.1, 2.5])
    log = LimitLog(now=lambda: next(times))
    for number in range(6):
        log.report("request over a limit", limit="max_body_size", number=number)
    assert [(0, None), (3, 2), (5, 1)] == [
        (vars(record)["number"], vars(record).get("left_out")) for record in caplog.records
    ]
    assert {"max_body_size"} == {vars(record)["limit"] for record in caplog.records}


def test_limits_are_logged_independently_of_each_other(caplog: pytest.LogCaptureFixture) -> None:
    log = LimitLog(now=lambda: 0.0)
    for limit in ("max_body_size", "max_header_size", ""):
        log.report("request over a limit", limit=limit)
    assert ["max_body_size", "max_header_size", None] == [vars(record).get("limit") for record in caplog.records]
