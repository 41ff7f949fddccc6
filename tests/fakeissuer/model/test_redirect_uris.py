from __future__ import annotations

import pytest

from fakeissuer.model.redirect_uris import check_redirect_uris, csp_origin, form_action_sources, is_registered

ANY_PORT = ("http://127.0.0.1:*", "http://localhost:*")


@pytest.mark.parametrize(
    ("uri", "registered", "expected"),
    [
        ("https://app.test/cb", ["https://app.test/cb"], True),
        ("https://app.test/cb/", ["https://app.test/cb"], False),
        ("https://app.test/cb?x=1", ["https://app.test/cb"], False),
        ("https://APP.test/cb", ["https://app.test/cb"], False),
        ("com.app:/cb", ["com.app:/cb"], True),
        ("http://127.0.0.1:5000/cb?x=1", ANY_PORT, True),
        ("http://localhost/cb", ANY_PORT, True),
        ("https://127.0.0.1:5000/cb", ANY_PORT, False),
        ("http://127.0.0.1.evil.test/cb", ANY_PORT, False),
        ("http://127.0.0.1:80@evil.test/cb", ANY_PORT, False),
        ("http://user@127.0.0.1/cb", ANY_PORT, False),
        ("http://127.0.0.1:\\@evil.test/cb", ANY_PORT, False),
        ("http://127.0.0.1:x/cb", ANY_PORT, False),
        ("http://127.0.0.1:5000/cb#x", ANY_PORT, False),
        ("http://127.0.0.1:5000/cb\r\nSet-Cookie: a=b", ANY_PORT, False),
        ("http://[x/cb", ANY_PORT, False),
        ("", ANY_PORT, False),
        ("http://127.0.0.1:5000/é", ANY_PORT, False),
    ],
)
def test_a_redirect_uri_must_match_a_registered_one(uri: str, registered: list[str], *, expected: bool) -> None:
    assert is_registered(uri, registered) is expected


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("http://a.test:1/b?c", "http://a.test:1"),
        ("com.app:/cb", "com.app:"),
        ("http://[::1]:5/b", "http://[::1]:5"),
        ("https://a.test;script-src *;/b", "'none'"),
    ],
)
def test_the_csp_origin_of_a_uri(uri: str, origin: str) -> None:
    assert csp_origin(uri) == origin


@pytest.mark.parametrize(
    ("uri", "schemes"), [("http://a.test:1/b?c", "http: https:"), ("com.app:/cb", "http: https: com.app:")]
)
def test_form_action_sources_are_schemes(uri: str, schemes: str) -> None:
    assert form_action_sources(uri) == schemes


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.test/callback?x=1",
        "http://127.0.0.1:5000/",
        "http://[::1]:*",
        "http://localhost:*",
        "com.example.app:/callback",
        "com.example.app://callback",
        "urn:ietf:wg:oauth:2.0:oob",
    ],
)
def test_a_valid_uri_can_be_registered(uri: str) -> None:
    check_redirect_uris("redirect_uris", [uri])


@pytest.mark.parametrize(
    ("uri", "flaw"),
    [
        ("http://[bad:*", "cannot be parsed"),
        ("http://[bad/cb", "cannot be parsed"),
        ("http://app.test:port/cb", "cannot be parsed"),
        ("http://app.test:70000/cb", "cannot be parsed"),
        ("https://app.test/cb#x", "fragment"),
        ("https://app.test/\r\nx", "characters"),
        ("https://app.test\\@evil.test/", "characters"),
        ("javascript:alert(1)", "script"),
        ("JavaScript:alert(1)", "script"),
        ("data:text/html,x", "script"),
        ("https:/cb", "names no host"),
        ("http:cb", "names no host"),
        ("com.example.app:*", "names no host"),
    ],
)
def test_an_invalid_uri_is_rejected(uri: str, flaw: str) -> None:
    with pytest.raises(ValueError, match=f"redirect_uris holds .* {flaw}"):
        check_redirect_uris("redirect_uris", ["https://app.test/cb", uri])
