from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.text import did_you_mean, escape_unprintable, hide_user_information


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("Zoë in 東京", "Zoë in 東京"),
        ("a\nb\r", "a\\nb\\r"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x9b2J", "\\x9b2J"),
        ("a\x85b", "a\\x85b"),
        ("a\u2028b\u2029", "a\\u2028b\\u2029"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\u2066a\u2069\u200b\ufeff", "\\u2066a\\u2069\\u200b\\ufeff"),
        ("\udcff", "\\udcff"),
        ("\U000e0041", "\\U000e0041"),
    ],
)
def test_a_character_that_is_not_printable_is_escaped(text: str, escaped: str) -> None:
    assert escaped == escape_unprintable(text)


@given(st.text(st.characters()))
def test_every_text_is_one_printable_line(text: str) -> None:
    assert escape_unprintable(text).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("was 'https://alice:hunter2@b.example/x'; no", "was 'https://(hidden)@b.example/x'; no"),
        ("http://alice:hun/te@r2@b.example", "http://(hidden)@b.example"),
        ("ftp:/alice:hunter2@b.example: No such file", "ftp:/(hidden)@b.example: No such file"),
        ("https://b.example, write to me@b.example", "https://b.example, write to me@b.example"),
        ("/home/me@b.example/file", "/home/me@b.example/file"),
    ],
)
def test_the_user_and_password_of_a_url_are_hidden(text: str, shown: str) -> None:
    assert shown == hide_user_information(text)


def test_the_nearest_known_word_is_named() -> None:
    assert "; did you mean 'leeway'?" == did_you_mean("lewway", ["realm", "leeway"])
    assert "" == did_you_mean("zebra", ["realm", "leeway"])
