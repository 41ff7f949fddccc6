from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tornado.httputil import HTTPHeaders, HTTPInputError

from service.tracing.received import identify, read_request_id, read_trace

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@settings(deadline=None)
@given(value=st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0")))
def test_an_accepted_id_is_short_and_needs_no_quotes(value: str) -> None:
    try:
        headers = HTTPHeaders({"X-Request-Id": value})
    except HTTPInputError:  # no request has such a field
        return
    found = read_request_id(headers)
    assert found in {None, value}
    if found is not None:
        assert found.isascii()
        assert found.isprintable()
        assert 0 < len(found) <= 128
        assert not set(found) & set(' "=\\') - {"="}


@pytest.mark.parametrize("value", ["eyJhbGciOiJSUzI1NiJ9", "a.eyJpc3MiOiJhIn0", "a,b", "", "a" * 129])
def test_what_may_be_a_token_or_two_ids_is_none(value: str) -> None:
    assert read_request_id(HTTPHeaders({"X-Request-Id": value})) is None


def test_the_state_of_a_trace_belongs_to_its_parent() -> None:
    headers = HTTPHeaders({"tracestate": "a=1"})
    assert (None, {}) == read_trace(headers)
    headers.add("tracestate", "b=2")
    headers.add("traceparent", PARENT)
    assert ("0af7651916cd43dd8448eb211c80319c", {"traceparent": PARENT, "tracestate": "a=1,b=2"}) == read_trace(headers)
    headers.add("traceparent", PARENT)
    assert (None, {}) == read_trace(headers)


def test_a_request_without_fields_has_no_id_yet() -> None:
    current, fields = identify(HTTPHeaders())
    assert ("", None, {}) == (current.request_id, current.trace_id, fields)
