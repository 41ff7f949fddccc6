from __future__ import annotations

import json
from contextlib import nullcontext, suppress
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeissuer.errors import InvalidRequestError
from fakeissuer.model.records import Record, read_members, to_json, to_record

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


class Example(Record, frozen=True, kw_only=True):
    secret_members: ClassVar[frozenset[str]] = frozenset({"secret"})

    name: str
    secret: str = "hidden"


class Anything(Record, frozen=True, kw_only=True):
    anything: Any


def test_members_are_attributes_and_items() -> None:
    example = Example(name="a")
    assert example.name == example["name"] == "a"
    with pytest.raises(KeyError):
        example["secret_members"]
    assert to_json(example) == b'{"name":"a","secret":"hidden"}'


def test_the_repr_omits_secrets() -> None:
    assert repr(Example(name="a")) == "Example(name='a')"


def test_an_empty_body_has_no_members() -> None:
    assert read_members(b"") == {}


@given(st.dictionaries(texts, values, max_size=5))
def test_any_json_object_is_parsed(members: dict[str, Any]) -> None:
    assert read_members(json.dumps(members).encode()) == members


@given(st.binary())
def test_any_bytes_are_parsed_or_rejected(body: bytes) -> None:
    with suppress(InvalidRequestError):
        assert isinstance(read_members(body), dict)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b'{"a": NaN}',
        b'{"a": 1e400}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": "\\ud800"}',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_anything_but_a_json_object_is_rejected(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read_members(body)


@pytest.mark.parametrize(("levels", "accepted"), [(98, True), (99, True), (100, False), (900, False)])
def test_the_nesting_is_limited(levels: int, *, accepted: bool) -> None:
    nested: Any = "x"
    for _ in range(levels):
        nested = [nested]
    with nullcontext() if accepted else pytest.raises(InvalidRequestError, match="levels deep"):
        to_record({"anything": nested}, Anything)


def test_the_error_for_an_unknown_member_lists_the_known_ones() -> None:
    with pytest.raises(InvalidRequestError, match="name, secret"):
        to_record({"name": "a", "nmae": "b"}, Example)
