from __future__ import annotations

import re

import pytest

from service.urls import origin_pattern, parse_origin


@pytest.mark.parametrize(
    "origin",
    ["*", "https://app.example", "http://localhost:3000", "http://[::1]:3000", "https://*.example.com",
     "https://*.example.com:8443", "chrome-extension://abcdef", "https://192.0.2.1:8443", "https://xn--bcher-kva.example"],
)  # fmt: skip
def test_a_valid_origin_is_accepted(origin: str) -> None:
    parse_origin(origin)


@pytest.mark.parametrize(
    "origin",
    ["", "null", "app.example", "https://", "https://app.example/", "https://App.example", "https://*", "https://*.com",
     "https://*example.com", "https://a.*.example.com", "https://*.*.example.com", "*.example.com",
     "https://user@app.example", "https://app.example?", "https://app.example#a", "https://[::1", "https://a:99999",
     "https://a..b", "https://%61.example", "https://a b"],
)  # fmt: skip
def test_an_invalid_origin_is_rejected(origin: str) -> None:
    with pytest.raises(ValueError, match=r"origin|wide"):
        parse_origin(origin)


@pytest.mark.parametrize(
    ("origin", "suffix"),
    [
        ("https://*.co.uk", "co.uk"),
        ("https://*.co.uk:8443", "co.uk"),
        ("https://*.co.uk.", "co.uk"),
        ("https://*.github.io", "github.io"),
        ("https://*.s3.amazonaws.com", "s3.amazonaws.com"),
        ("https://*.kawasaki.jp", "kawasaki.jp"),
        ("https://*.eu-west-1.compute.amazonaws.com", "eu-west-1.compute.amazonaws.com"),
        ("https://*.xn--55qx5d.cn", "xn--55qx5d.cn"),
        ("https://*.windows.net", "core.windows.net"),  # Azure's customers have names below it
    ],
)
def test_a_pattern_over_a_public_suffix_is_rejected(origin: str, suffix: str) -> None:
    with pytest.raises(ValueError, match=re.escape(suffix)) as rejection:
        parse_origin(origin)
    assert "too wide; anyone can register a name" in str(rejection.value)


@pytest.mark.parametrize(
    "origin",
    ["https://*.example.co.uk", "https://*.octocat.github.io", "https://*.city.kawasaki.jp", "https://*.www.ck",
     "https://*.apps.internal", "https://co.uk"],
)  # fmt: skip
def test_a_domain_with_one_owner_is_accepted(origin: str) -> None:
    parse_origin(origin)


@pytest.mark.parametrize(
    ("origin", "hint"),
    [
        ("https://bücher.example", "begins with xn--"),
        ("https://*.bücher.example", "begins with xn--"),
        ("https://\uff41pp.example", "begins with xn--"),
        ("https://app.example:443", "browsers send https://app.example"),
        ("https://*.example.com:443", "browsers send https://*.example.com"),
        ("http://app.example:80", "browsers send http://app.example"),
        ("https://app.example:", "browsers send https://app.example"),
        ("https://app.example:08443", "browsers send https://app.example:8443"),
        ("http://[0:0:0:0:0:0:0:1]:3000", "browsers send http://[::1]:3000"),
        ("http://[::1%25eth0]", "not allowed"),
        ("http://127.1", "not an IP address"),
        ("http://0x7f000001", "not an IP address"),
        ("https://*.10.0.0.1", "no subdomains"),
        ("wss://app.example", "write https:// as in the address of the page"),
        ("ws://app.example", "write http:// as in the address of the page"),
    ],
)
def test_an_origin_that_no_browser_sends_is_rejected(origin: str, hint: str) -> None:
    with pytest.raises(ValueError, match=re.escape(hint)):
        parse_origin(origin)


def test_only_an_origin_with_a_star_gives_a_pattern() -> None:
    assert origin_pattern("https://app.example") is None
    assert origin_pattern("*") is None
    pattern = origin_pattern("https://*.example.com:8443")
    assert pattern is not None
    assert pattern.fullmatch("https://a.b.example.com:8443")
    assert not pattern.fullmatch("https://example.com:8443")
