from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from service.web.responses.cors import CrossOriginPolicy, is_preflight

APP = "https://app.example"


def test_says_nothing_when_it_is_off() -> None:
    assert {} == CrossOriginPolicy([]).headers_for(APP)


def test_lets_a_listed_origin_read_the_answer_and_its_challenge() -> None:
    assert {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce, Retry-After",
    } == CrossOriginPolicy([APP]).headers_for(APP)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "", "https://evil.example", "https://app.example.evil.example", "http://app.example",
     "https://app.example:8443", "https://APP.example", "https://app.example/"],
)  # fmt: skip
def test_an_origin_that_is_not_listed_only_learns_that_the_answer_varies(origin: str | None) -> None:
    assert {} == CrossOriginPolicy([APP]).headers_for(origin)
    assert "Origin" == CrossOriginPolicy([APP]).vary(None, origin=origin)


@pytest.mark.parametrize(
    ("origins", "origin", "own", "vary"),
    [
        ([], APP, None, None),
        ([], APP, "Accept", "Accept"),
        ([APP], APP, None, "Origin"),
        ([APP], APP, "Accept", "Accept, Origin"),
        ([APP], APP, "accept, origin", "accept, origin"),
        ([APP], APP, "*", "*"),
        (["*"], APP, "Accept", "Accept"),
        (["*"], None, None, None),
        (["*"], "null", None, "Origin"),
    ],
)
def test_an_answer_varies_by_what_its_handler_says_and_by_the_origin(
    origins: list[str], origin: str | None, own: str | None, vary: str | None
) -> None:
    assert vary == CrossOriginPolicy(origins).vary(own, origin=origin)


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        ("https://app.example.com", True),
        ("https://a.b.example.com", True),
        ("https://xn--bcher-kva.example.com", True),
        ("https://example.com", False),
        ("https://evilexample.com", False),
        ("https://.example.com", False),
        ("https://a..example.com", False),
        ("https://app.example.com.evil.example", False),
        ("https://app.example.com:8443", False),
        ("http://app.example.com", False),
        ("https://evil.example/.example.com", False),
        ("https://evil.example#.example.com", False),
        ("https://user@app.example.com", False),
        ("https://app.exampleXcom", False),
        ("https://app.example.com\n", False),
        ("null", False),
    ],
)
def test_a_pattern_stands_for_whole_hosts_below_a_domain(origin: str, *, allowed: bool) -> None:
    policy = CrossOriginPolicy(["https://*.example.com"])
    assert allowed is policy.allows(origin)
    assert (origin if allowed else None) == policy.headers_for(origin).get("Access-Control-Allow-Origin")


def test_a_pattern_keeps_its_port() -> None:
    policy = CrossOriginPolicy(["http://*.localhost.test:3000"])
    assert [True, False] == [policy.allows(f"http://a.localhost.test:{port}") for port in (3000, 3001)]


@pytest.mark.parametrize("origin", ["*", APP])
def test_cookies_are_never_allowed(origin: str) -> None:
    policy = CrossOriginPolicy([origin])
    for headers in (policy.headers_for(APP), policy.preflight_headers_for(_preflight(), ["GET"])):
        assert "Access-Control-Allow-Origin" in headers
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(
    ("origins", "asked", "answer"), [([APP], "true", "true"), ([APP], "yes", None), (["*"], "true", None)]
)
def test_a_listed_page_may_reach_into_a_private_network(origins: list[str], asked: str, answer: str | None) -> None:
    request = _preflight(**{"Access-Control-Request-Private-Network": asked})
    headers = CrossOriginPolicy(origins).preflight_headers_for(request, ["GET"])
    assert answer == headers.get("Access-Control-Allow-Private-Network")


def test_refuses_what_is_no_origin() -> None:
    with pytest.raises(ValueError, match="null"):
        CrossOriginPolicy(["null"])


def test_a_star_allows_every_page_and_never_repeats_its_name() -> None:
    policy = CrossOriginPolicy(["*"])
    assert "*" == policy.headers_for(APP)["Access-Control-Allow-Origin"]
    assert policy.allows(APP)


def _preflight(**headers: str) -> HTTPHeaders:
    return HTTPHeaders({"Origin": APP, "Access-Control-Request-Method": "GET"} | headers)


def test_a_preflight_learns_methods_headers_and_how_long_to_remember() -> None:
    request = _preflight(**{"Access-Control-Request-Headers": "authorization,x-request-id"})
    headers = CrossOriginPolicy([APP]).preflight_headers_for(request, ["GET", "POST"])
    assert ("GET, POST", "authorization,x-request-id", "600") == (
        headers["Access-Control-Allow-Methods"],
        headers["Access-Control-Allow-Headers"],
        headers["Access-Control-Max-Age"],
    )


def test_a_preflight_of_another_origin_learns_nothing() -> None:
    assert {} == CrossOriginPolicy(["https://other.example"]).preflight_headers_for(_preflight(), ["GET"])


@pytest.mark.parametrize("asked", ["", "a b", 'x"y', "x;y", "x,,y"])
def test_does_not_repeat_what_is_no_list_of_field_names(asked: str) -> None:
    request = _preflight(**{"Access-Control-Request-Headers": asked})
    headers = CrossOriginPolicy([APP]).preflight_headers_for(request, ["GET"])
    assert "Authorization" == headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (_preflight(), True),
        (HTTPHeaders({"Origin": APP}), False),
        (HTTPHeaders({"Access-Control-Request-Method": "GET"}), False),
    ],
)
def test_a_preflight_names_its_origin_and_a_method(headers: HTTPHeaders, *, expected: bool) -> None:
    assert expected is is_preflight(headers)
