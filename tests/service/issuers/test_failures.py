from __future__ import annotations

import pytest
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httputil import HTTPHeaders

from service.errors import IssuerUnavailable
from service.issuers.failures import check_response

URL = "https://issuer.example/keys"


def check(status: int, **headers: str) -> None:
    fields = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    check_response("GET", URL, HTTPResponse(HTTPRequest(URL), status, headers=fields))


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://other.example/keys", "'https://other.example/keys'"),
        ("https://user:secret@other.example/", "'https://other.example/'"),
        ("/login?token=secret#secret", "'/login'"),
        ("http://[", "'http://['"),
    ],
)
def test_a_redirect_names_its_location_without_the_query(location: str, shown: str) -> None:
    with pytest.raises(IssuerUnavailable, match="redirects are not followed") as exc_info:
        check(302, Location=location)
    assert f"got 302 to {shown}" in exc_info.value.detail
    assert "secret" not in exc_info.value.detail


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP, br"])
def test_a_coded_response_is_named(coding: str) -> None:
    with pytest.raises(IssuerUnavailable) as exc_info:
        check(200, Content_Encoding=coding)
    assert repr(coding.lower()) in exc_info.value.detail


@pytest.mark.parametrize("headers", [{}, {"Content_Encoding": "Identity"}, {"Location": "/elsewhere"}])
def test_other_responses_pass(headers: dict[str, str]) -> None:
    check(200, **headers)


def test_the_status_of_an_error_page_says_more_than_its_coding() -> None:
    check(404, Content_Encoding="gzip")
