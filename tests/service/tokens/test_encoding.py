from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens import encoding

MALFORMED_BASE64URL = {
    "padding": "YQ==",
    "an impossible length": "YWJjZ",
    "unused bits that are not zero": "YR",
    "the other alphabet": "-_+/",
    "white space": "YW Jj",
    "a line end after it": "YWJj\n",
    "a character outside the alphabet": "YW*j",
    "a full-width letter": "YWJj\N{FULLWIDTH LATIN SMALL LETTER A}",
}


@pytest.mark.parametrize("text", MALFORMED_BASE64URL.values(), ids=MALFORMED_BASE64URL.keys())
def test_malformed_base64url_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        encoding.decode_base64url(text.encode())


@given(st.binary())
def test_base64url_round_trips(data: bytes) -> None:
    assert data == encoding.decode_base64url(base64.urlsafe_b64encode(data).rstrip(b"="))


@given(st.text(alphabet="ABab01-_=+/ \n"))
def test_each_value_has_one_encoding(text: str) -> None:
    try:
        data = encoding.decode_base64url(text.encode())
    except ValueError:
        return
    assert text == base64.urlsafe_b64encode(data).rstrip(b"=").decode()


MALFORMED_JSON = {
    "an array": b"[]",
    "a string": b'"iss"',
    "no bytes": b"",
    "NaN": b'{"exp": NaN}',
    "Infinity": b'{"exp": Infinity}',
    "-Infinity": b'{"exp": -Infinity}',
    "a number that becomes infinite": b'{"exp": 1e400}',
    "a name twice": b'{"exp": 1, "exp": 2}',
    "a name twice, one of them escaped": b'{"exp": 1, "e\\u0078p": 2}',
    "a name twice in a nested object": b'{"cnf": {"jkt": "a", "jkt": "b"}}',
    "UTF-16": '{"iss": "a"}'.encode("utf-16"),
    "UTF-16 without a byte order mark": '{"iss": "a"}'.encode("utf-16-le"),
    "UTF-32": '{"iss": "a"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"iss": "a"}',
    "Latin-1": '{"iss": "é"}'.encode("latin-1"),
    "an unpaired surrogate": b'{"sub": "\\ud800"}',
    "trailing data": b'{"iss": "a"} {}',
    "an integer too long for Python": b'{"exp": ' + b"9" * 5000 + b"}",
    "deeply nested arrays": b'{"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deeply nested objects": b'{"a":' * 30_000 + b"{}" + b"}" * 30_000,
    "a nested number that becomes infinite": b'{"a": [{"b": [1, 2e999]}]}',
    "a NUL byte": b'{"iss": "a\x00"}',
}


@pytest.mark.parametrize("data", MALFORMED_JSON.values(), ids=MALFORMED_JSON.keys())
def test_malformed_json_is_rejected(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # only the type is specified
        encoding.decode_json_object(data)


def test_nested_objects_are_decoded() -> None:
    data = b'{"a":' * 50 + b"{}" + b"}" * 50
    assert json.loads(data) == encoding.decode_json_object(data)


def test_brackets_in_strings_do_not_count_as_depth() -> None:
    value = {"note": '[{"' * 1000, "list": [[] for _ in range(1000)]}
    assert value == encoding.decode_json_object(json.dumps(value).encode())


def test_an_escaped_surrogate_pair_is_decoded() -> None:
    assert {"sub": "\N{GRINNING FACE}"} == encoding.decode_json_object(b'{"sub": "\\ud83d\\ude00"}')


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), _values))
def test_json_round_trips(value: dict[str, object]) -> None:
    assert value == encoding.decode_json_object(json.dumps(value).encode())


@given(st.binary())
def test_any_bytes_give_an_object_or_a_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        assert isinstance(encoding.decode_json_object(data), dict)


@given(st.binary(max_size=40))
def test_bytes_are_encoded_as_they_are_decoded(octets: bytes) -> None:
    assert octets == encoding.decode_base64url(encoding.encode_base64url(octets).encode())
