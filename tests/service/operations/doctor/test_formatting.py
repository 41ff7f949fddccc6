from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.operations.doctor.formatting import escape_for_terminal, format_date, format_duration, redact, to_json

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("date", "words"),
    [
        (NOW, "2023-11-14 22:13:20 UTC, now"),
        (NOW + 1, "2023-11-14 22:13:21 UTC, in 1 second"),
        (NOW - 90, "2023-11-14 22:11:50 UTC, 90 seconds ago"),
        (NOW + 3600, "2023-11-14 23:13:20 UTC, in 60 minutes"),
        (NOW - 3 * 86400, "2023-11-11 22:13:20 UTC, 3 days ago"),
        (1e300, "a date beyond the calendar"),
        (-1e18, "a date beyond the calendar"),
    ],
)
def test_a_date_is_relative_to_now(date: float, words: str) -> None:
    assert words == format_date(date, NOW)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_date_can_be_formatted(date: float) -> None:
    assert format_date(date, NOW)
    assert format_duration(date)


@given(st.text())
def test_control_characters_are_escaped(text: str) -> None:
    assert escape_for_terminal(text).isprintable()


def test_printable_text_is_unchanged() -> None:
    assert "Zoë → ok" == escape_for_terminal("Zoë → ok")


def test_secrets_and_tokens_are_redacted() -> None:
    text = "an eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln and a longsecret and a word"
    assert "an (a token, hidden) and a (hidden) and a word" == redact(text, ["word", "longsecret"])


def test_a_secret_inside_a_longer_secret_is_redacted() -> None:
    assert "(hidden)" == redact("12345678.87654321", ["12345678", "12345678.87654321"])


def test_a_long_value_is_truncated() -> None:
    assert 161 == len(to_json("x" * 1000))
