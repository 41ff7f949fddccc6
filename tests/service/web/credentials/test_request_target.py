from __future__ import annotations

import string
import urllib.parse

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.web.credentials.request_target import find_ambiguity

NORMAL = [
    "/",
    "/reports",
    "/reports/",
    "/reports/2026/q1.pdf",
    "/a.b/..c/...",
    "/.well-known/x",
    "/caf%C3%A9",
    "/caf%c3%a9",
    "/a%20b%2Bc%3Ad%40e%2Cf%3Dg%26h",
    "/100%25",
    "/100%25/x",
    "/users/alice@example.com",
    "/chunks/[slug].js",
    "/a|b",
    "/?",
    "/?a=b&c=%2F..%5C%00;x//y/../z",
    "/?next=https://app.example/a/../b",
]
AMBIGUOUS = {
    "it does not begin with a slash": ["", "*", "reports", "http://evil.example/reports", "?a=b", "app.example:443"],
    "must be percent-encoded": [
        "/a;b",
        "/reports/..;x=/admin",
        "/reports/;/admin",
        "/a\\b",
        "/..\\admin",
        "/a#b",
        "/public#/../admin",
        "/a b",
        "/a\tb",
        "/a\x00b",
        "/a\x7fb",
        "/a\x85b",
        "/café",
        '/a"b',
        "/a<b",
        "/{a}",
        "/a^b",
        "/a`b",
        "/a\r\nX-Auth-Subject: root",
        "/?a#b",
        "/?a b",
        "/?é",
        "/?a\x00",
    ],
    "two slashes": ["//", "//reports", "/reports//1", "/reports//", "//evil.example/reports", "///"],
    "a dot segment": ["/.", "/..", "/./a", "/../a", "/a/./b", "/a/../b", "/a/.", "/a/..", "/../", "/a/../../b"],
    "may not be percent-encoded": [
        "/a%2Fb",
        "/a%2fb",
        "/a%5Cb",
        "/a%5cb",
        "/%2e%2e/a",
        "/.%2E/a",
        "/%2e",
        "/%72eports",
        "/%7Ealice",
        "/a%3Bb",
        "/a%23b",
        "/a%3Fb",
        "/%2F",
    ],
    "percent-encoded twice": ["/%2572eports", "/a%252Fb", "/%252e%252e/a"],
    "encodes nothing": ["/%", "/a%2", "/a%zz", "/%u002f", "/a%%41"],
    "not UTF-8": ["/%C0%AF", "/%FF", "/%E0%80%AF", "/%ED%A0%80", "/a%C3"],
    "control character": ["/a%00", "/a%0d%0a", "/%7F", "/%1b", "/%C2%85"],
}


@pytest.mark.parametrize("target", NORMAL)
def test_a_normal_target_is_not_ambiguous(target: str) -> None:
    assert find_ambiguity(target) is None


@pytest.mark.parametrize(
    ("target", "problem"), [(target, problem) for problem, targets in AMBIGUOUS.items() for target in targets]
)
def test_a_target_that_can_be_read_in_two_ways_is_ambiguous(target: str, problem: str) -> None:
    assert problem in (find_ambiguity(target) or "")


@settings(deadline=None)
@given(st.lists(st.text(min_size=1), max_size=4))
def test_what_is_encoded_as_rfc_3986_says_is_normal(segments: list[str]) -> None:
    wanted = [segment for segment in segments if segment not in {".", ".."}]
    path = "/" + "/".join(urllib.parse.quote(segment, safe="") for segment in wanted)
    special = set("/\\;#?%") | {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}
    if special.isdisjoint("".join(wanted)):
        assert find_ambiguity(path) is None


@settings(deadline=None)
@given(st.text(alphabet=string.printable + "é\x00\x85"))
def test_a_path_that_is_not_ambiguous_is_the_same_after_decoding_and_resolving(text: str) -> None:
    path = f"/{text}".partition("?")[0]
    if find_ambiguity(path) is None:
        decoded = urllib.parse.unquote(path)
        assert decoded.count("/") == path.count("/")
        assert {"", ".", ".."}.isdisjoint(decoded.split("/")[1:-1])
        assert decoded.split("/")[-1] not in {".", ".."}
        assert not set(decoded) & set("\\;#?")
