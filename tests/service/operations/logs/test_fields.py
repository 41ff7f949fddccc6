from __future__ import annotations

import json
import logging
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.operations.logs.fields import MAX_TEXT, fields_of, format_time, to_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner) | st.dictionaries(SCALARS, inner) | st.sets(SCALARS) | st.tuples(inner, inner),
    max_leaves=20,
)


def _no_constant(name: str) -> Any:
    raise AssertionError(f"{name} is no JSON")


@settings(deadline=None)
@given(fields=st.dictionaries(st.text(st.characters()), VALUES))
def test_every_object_is_one_line_of_printable_json(fields: dict[str, Any]) -> None:
    line = to_json(fields)
    assert line.isascii()
    assert line.isprintable()
    json.dumps(json.loads(line, parse_constant=_no_constant), ensure_ascii=False).encode()  # no unpaired surrogate


def test_a_value_that_contains_itself_is_cut() -> None:
    endless: list[Any] = [1]
    endless.append(endless)
    assert '"x": [1, [1, ' in to_json({"x": endless})


def test_values_keep_their_meaning() -> None:
    fields = {"a": 1, "b": 1.5, "c": None, "d": True, "e": "é", "f": [1, {"g": "h"}]}
    assert fields == json.loads(to_json(fields))


@pytest.mark.parametrize("value", [math.nan, math.inf, b"x", object])
def test_what_json_does_not_have_is_text(value: object) -> None:
    assert isinstance(json.loads(to_json({"x": value}))["x"], str)


def test_a_long_text_is_cut_and_its_length_is_shown() -> None:
    shown = json.loads(to_json({"x": "a" * 5000}))["x"]
    assert f"{'a' * MAX_TEXT}… (5000 characters)" == shown


@pytest.mark.parametrize("name", ["token", "Authorization", "client-secret", "Set-Cookie", "dpop"])
def test_a_field_of_this_name_is_hidden_at_every_level(name: str) -> None:
    record = logging.makeLogRecord({name: "sesame", "claims": {name: "sesame", "x": [{name: "sesame"}]}})
    assert "sesame" not in to_json(fields_of(record))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000.9999, "2023-11-14T22:13:20.999Z"),
        (-0.5, "1969-12-31T23:59:59.500Z"),
    ],
)
def test_a_time_has_milliseconds_and_its_zone(seconds: float, text: str) -> None:
    assert text == format_time(seconds)
