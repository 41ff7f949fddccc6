from __future__ import annotations

import secrets

import pytest

from service.settings.strength import check_strength

WEAK = {
    "one letter": ("x", "its length is 1 and"),
    "one letter, repeated": ("x" * 64, "different characters is 1;"),
    "a word": ("operators-only", "its length is 14 and"),
    "a repetition": ("01234567" * 4, "repeats a shorter text"),
    "spaces": ("correct horse battery staple and more", "cannot carry"),
    "a letter beyond ASCII": ("correct-horse-battery-st\u00e4ple-and-more", "cannot carry"),
    "a line break": ("correct-horse-battery\nstaple-and-more", "cannot carry"),
}


@pytest.mark.parametrize(("token", "words"), WEAK.values(), ids=WEAK)
def test_a_weak_token_is_rejected_with_a_way_to_make_one(token: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as rejection:
        check_strength(token)
    assert "secrets.token_urlsafe(32)" in str(rejection.value)
    assert len(token) < 8 or token not in str(rejection.value)


@pytest.mark.parametrize("make", [lambda: secrets.token_urlsafe(32), lambda: secrets.token_hex(16)])
def test_a_random_token_is_accepted(make: object) -> None:
    for _ in range(1000):
        assert callable(make)
        check_strength(make())
