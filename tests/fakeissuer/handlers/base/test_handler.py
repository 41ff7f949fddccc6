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
def test_the_media_type_is_in_lower_case_without_parameters(field: str, expected: str) -> None:
    assert media_type(HTTPHeaders({"Content-Type": field})) == expected


def test_a_missing_content_type_gives_an_empty_media_type() -> None:
    assert media_type(HTTPHeaders()) == ""
