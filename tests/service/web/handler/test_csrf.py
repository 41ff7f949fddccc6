from __future__ import annotations

import pytest
import tornado.web
from requesting import request

from service.web.handler.csrf import check_same_site
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource

CORS = CrossOriginPolicy(["https://app.example", "https://*.pages.example"])
BEHIND_A_PROXY = Resource(public_url="https://api.example/v1")

ALLOWED = {
    "its own page": ("POST", ["Origin: http://api.example"]),
    "its own page, before the proxy": ("POST", ["Origin: https://api.example"]),
    "a page of a listed origin": ("POST", ["Origin: https://app.example"]),
    "a page of a pattern": ("DELETE", ["Origin: https://a.pages.example"]),
    "its own page, without Origin": ("GET", ["Sec-Fetch-Site: same-origin"]),
    "an address that the user typed": ("GET", ["Sec-Fetch-Site: none"]),
    "a safe method of an old browser": ("HEAD", []),
}


@pytest.mark.parametrize(("method", "fields"), ALLOWED.values(), ids=ALLOWED.keys())
def test_requests_of_own_and_listed_pages_are_allowed(method: str, fields: list[str]) -> None:
    check_same_site(request(*fields, method=method), cors=CORS, resource=BEHIND_A_PROXY)


REJECTED = {
    "a page of another origin": ("POST", ["Origin: https://evil.example"]),
    "a read by a page of another origin": ("GET", ["Origin: https://evil.example"]),
    "an opaque origin": ("POST", ["Origin: null"]),
    "another port": ("POST", ["Origin: http://api.example:8080"]),
    "a page of the same site": ("POST", ["Sec-Fetch-Site: same-site"]),
    "an image in another page": ("GET", ["Sec-Fetch-Site: cross-site"]),
    "an origin that contradicts Sec-Fetch-Site": (
        "POST",
        ["Origin: https://evil.example", "Sec-Fetch-Site: same-origin"],
    ),
    "an unsafe method of an old browser": ("POST", []),
}


@pytest.mark.parametrize(("method", "fields"), REJECTED.values(), ids=REJECTED.keys())
@pytest.mark.parametrize("cors", [CORS, CrossOriginPolicy(["*"])], ids=["listed", "a star"])
def test_requests_of_other_pages_are_rejected(method: str, fields: list[str], cors: CrossOriginPolicy) -> None:
    with pytest.raises(tornado.web.HTTPError) as error:
        check_same_site(request(*fields, method=method), cors=cors, resource=BEHIND_A_PROXY)
    assert 403 == error.value.status_code
