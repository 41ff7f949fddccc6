from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from service.web.responses.cors import CrossOriginPolicy, is_preflight

APP = "https://app.example"


def test_no_headers_are_sent_without_origins() -> None:
    assert {} == CrossOriginPolicy([]).headers_for(APP)


def test_a_listed_origin_can_read_the_response_and_its_challenge() -> None:
    assert {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id",
    } == CrossOriginPolicy([APP]).headers_for(APP)


@pytest.mark.parametrize(
    "origin",
    [None, "null", "", "https://evil.example", "https://app.example.evil.example", "http://app.example",
     "https://app.example:8443", "https://APP.example", "https://app.example/"],
)  # fmt: skip
def test_an_unlisted_origin_gets_only_the_vary_header(origin: str | None) -> None:
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
def test_origin_is_added_to_the_vary_header_of_the_handler(
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
def test_a_pattern_matches_only_hosts_below_its_domain(origin: str, *, allowed: bool) -> None:
    policy = CrossOriginPolicy(["https://*.example.com"])
    assert allowed is policy.allows(origin)
    assert (origin if allowed else None) == policy.headers_for(origin).get("Access-Control-Allow-Origin")


def test_a_pattern_matches_only_its_port() -> None:
    policy = CrossOriginPolicy(["http://*.localhost.test:3000"])
    assert [True, False] == [policy.allows(f"http://a.localhost.test:{port}") for port in (3000, 3001)]


@pytest.mark.parametrize("origin", ["*", APP])
def test_credentials_are_never_allowed(origin: str) -> None:
    policy = CrossOriginPolicy([origin])
    for headers in (policy.headers_for(APP), policy.preflight_headers_for(_preflight(), ["GET"])):
        assert "Access-Control-Allow-Origin" in headers
        assert "Access-Control-Allow-Credentials" not in headers


@pytest.mark.parametrize(
    ("origins", "requested", "expected"), [([APP], "true", "true"), ([APP], "yes", None), (["*"], "true", None)]
)
def test_a_page_of_a_listed_origin_can_access_a_private_network(
    origins: list[str], requested: str, expected: str | None
) -> None:
    request = _preflight(**{"Access-Control-Request-Private-Network": requested})
    headers = CrossOriginPolicy(origins).preflight_headers_for(request, ["GET"])
    assert expected == headers.get("Access-Control-Allow-Private-Network")


def test_the_origin_null_is_rejected() -> None:
    with pytest.raises(ValueError, match="null"):
        CrossOriginPolicy(["null"])


def test_a_star_allows_every_origin_without_repeating_it() -> None:
    policy = CrossOriginPolicy(["*"])
    assert "*" == policy.headers_for(APP)["Access-Control-Allow-Origin"]
    assert policy.allows(APP)


def _preflight(**headers: str) -> HTTPHeaders:
    return HTTPHeaders({"Origin": APP, "Access-Control-Request-Method": "GET"} | headers)


def test_a_preflight_gets_methods_headers_and_a_maximum_age() -> None:
    request = _preflight(**{"Access-Control-Request-Headers": "authorization,x-request-id"})
    headers = CrossOriginPolicy([APP]).preflight_headers_for(request, ["GET", "POST"])
    assert ("GET, POST", "authorization,x-request-id", "600") == (
        headers["Access-Control-Allow-Methods"],
        headers["Access-Control-Allow-Headers"],
        headers["Access-Control-Max-Age"],
    )


def test_a_preflight_of_another_origin_gets_no_headers() -> None:
    assert {} == CrossOriginPolicy(["https://other.example"]).preflight_headers_for(_preflight(), ["GET"])


@pytest.mark.parametrize("requested", ["", "a b", 'x"y', "x;y", "x,,y"])
def test_malformed_request_header_names_are_not_repeated(requested: str) -> None:
    request = _preflight(**{"Access-Control-Request-Headers": requested})
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
def test_a_preflight_has_an_origin_and_a_method(headers: HTTPHeaders, *, expected: bool) -> None:
    assert expected is is_preflight(headers)
