from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.tokens.binding.http_url import normalize_http_url


@pytest.mark.parametrize(
    ("url", "normalized"),
    [
        ("https://api.example.com", "https://api.example.com/"),
        ("https://api.example.com/", "https://api.example.com/"),
        ("HTTPS://API.Example.COM/A", "https://api.example.com/A"),
        ("https://api.example.com:443/a", "https://api.example.com/a"),
        ("http://api.example.com:80/a", "http://api.example.com/a"),
        ("http://api.example.com:443/a", "http://api.example.com:443/a"),
        ("https://api.example.com:/a", "https://api.example.com/a"),
        ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://api.example.com/a?b=c#d", "https://api.example.com/a"),
        ("https://api.example.com/%7euser/%c3%a9", "https://api.example.com/~user/%C3%A9"),
        ("https://api.example.com/a%2fb", "https://api.example.com/a%2Fb"),
        ("https://api.example.com/a/./b/../c", "https://api.example.com/a/c"),
        ("https://api.example.com/a/b/..", "https://api.example.com/a/"),
        ("https://api.example.com/../../a", "https://api.example.com/a"),
        ("https://api.example.com/%2e%2e/a", "https://api.example.com/a"),
        ("https://api.example.com//a//b", "https://api.example.com//a//b"),
        ("https://api.example.com/a;v=1", "https://api.example.com/a;v=1"),
    ],
)
def test_spellings_of_one_url_are_equal(url: str, normalized: str) -> None:
    assert normalized == normalize_http_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/a",
        "//api.example.com/a",
        "api.example.com/a",
        "ftp://api.example.com/a",
        "https:///a",
        "https://user@api.example.com/a",
        "https://api.example.com:port/a",
        "https://api.example.com:99999/a",
        "https://api.example.com/a b",
        "https://api.example.com/\N{LATIN SMALL LETTER E WITH ACUTE}",
        "https://api.example.com/%zz",
        "https://api.example.com/%4",
        "https://api.example.com/%",
        "https://api.example.com/a\n",
        "https://[::1/a",
    ],
)
def test_a_text_that_is_no_http_url_is_rejected(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normalize_http_url(url)


@given(st.text(alphabet="aA./%2eF:@[]?#-", max_size=30))
def test_a_normalized_url_is_its_own_normal_form(rest: str) -> None:
    try:
        normalized = normalize_http_url(f"https://api.example.com/{rest}")
    except ValueError:
        return
    assert normalized == normalize_http_url(normalized)
    assert "/../" not in normalized
    assert normalized.startswith("https://api.example.com/")
