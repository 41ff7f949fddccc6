from __future__ import annotations

import pytest

from service.urls import origin_pattern, parse_origin


@pytest.mark.parametrize(
    "origin",
    ["*", "https://app.example", "http://localhost:3000", "http://[::1]:3000", "https://*.example.com",
     "https://*.example.com:8443", "chrome-extension://abcdef"],
)  # fmt: skip
def test_a_valid_origin_is_accepted(origin: str) -> None:
    parse_origin(origin)


@pytest.mark.parametrize(
    "origin",
    ["", "null", "app.example", "https://", "https://app.example/", "https://App.example", "https://*", "https://*.com",
     "https://*example.com", "https://a.*.example.com", "https://*.*.example.com", "*.example.com",
     "https://user@app.example", "https://app.example?", "https://app.example#a"],
)  # fmt: skip
def test_an_invalid_origin_is_rejected(origin: str) -> None:
    with pytest.raises(ValueError, match=r"origin|wide"):
        parse_origin(origin)


def test_only_an_origin_with_a_star_gives_a_pattern() -> None:
    assert origin_pattern("https://app.example") is None
    assert origin_pattern("*") is None
    pattern = origin_pattern("https://*.example.com:8443")
    assert pattern is not None
    assert pattern.fullmatch("https://a.b.example.com:8443")
    assert not pattern.fullmatch("https://example.com:8443")
