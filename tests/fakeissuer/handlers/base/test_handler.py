from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from fakeissuer.handlers.base.handler import media_type


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/x-www-form-urlencoded ;charset=UTF-8", "application/x-www-form-urlencoded"),
        ("", ""),
    ],
)
def test_a_media_type_is_read_without_case_and_parameters(field: str, expected: str) -> None:
    assert media_type(HTTPHeaders({"Content-Type": field})) == expected


def test_a_body_without_a_type_has_none() -> None:
    assert media_type(HTTPHeaders()) == ""
