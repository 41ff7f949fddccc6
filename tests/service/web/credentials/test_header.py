from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requesting import request
from tornado.httputil import HTTPServerRequest

from service.errors import InvalidRequest, Reason
from service.web.credentials.sources import read_header


def _request(*fields: str) -> HTTPServerRequest:
    return request(*(f"Authorization: {field}" for field in fields))


@pytest.mark.parametrize(
    "field", ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR abc", "Bearer   abc", "Bearer abc  "]
)
def test_reads_the_scheme_in_any_case_and_any_number_of_spaces(field: str) -> None:
    credentials = read_header(_request(field))
    assert credentials is not None
    assert "abc" == credentials.token


@pytest.mark.parametrize("token", ["a", "A-Z.a~z_0+9/", "abc=", "abc==", "a" * 20_000])
def test_reads_every_b64token(token: str) -> None:
    credentials = read_header(_request(f"Bearer {token}"))
    assert credentials is not None
    assert token == credentials.token


@pytest.mark.parametrize(
    "fields", [[], ["Basic YTpi"], ["SSWS 00abc"], ["DPoP abc"], ["abc.def.ghi"], ["Bearerabc"], ["Bearer:abc"], [""]]
)
def test_finds_no_credential_in(fields: list[str]) -> None:
    assert read_header(_request(*fields)) is None


MALFORMED = {
    "nothing behind the scheme": "Bearer",
    "spaces behind the scheme": "Bearer  ",  # stripped on the way, and then the same as nothing
    "two tokens": "Bearer abc def",
    "two credentials in one field": "Bearer abc, Bearer def",
    "a quoted token": 'Bearer "abc"',
    "padding in front": "Bearer =abc",
    "padding in the middle": "Bearer ab=c",
    "a tab": "Bearer abc\tdef",
    "a letter beyond ASCII": "Bearer abcé",
    "a digit beyond ASCII": "Bearer abc\N{SUPERSCRIPT TWO}",
}


@pytest.mark.parametrize("field", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_header_is_rejected(field: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_header(_request(field))
    assert Reason.MALFORMED_CREDENTIALS is refusal.value.reason


@pytest.mark.parametrize("fields", [("Bearer abc", "Bearer def"), ("Bearer abc", "Basic YTpi"), ("Basic a", "Basic b")])
def test_refuses_two_fields_whatever_they_are(fields: tuple[str, str]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        read_header(_request(*fields))
    assert Reason.SEVERAL_CREDENTIALS is refusal.value.reason


@given(st.text(alphabet=st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_any_field_gives_a_credential_none_or_a_refusal(field: str) -> None:
    try:
        credentials = read_header(_request(field.strip()))
    except InvalidRequest as refusal:
        assert field not in str(refusal) or not field  # noqa: PT017  # a property, not an expectation
        return
    assert credentials is None or credentials.token in field
