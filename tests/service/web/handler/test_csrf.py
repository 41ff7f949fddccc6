from __future__ import annotations

import pytest
import tornado.web
from requesting import request

from service.web.handler.csrf import check_same_site
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource

CORS = CrossOriginPolicy(["https://app.example", "https://*.pages.example"])
BEHIND_A_PROXY = Resource(public_url="https://api.example/v1")

PASSES = {
    "its own page": ("POST", ["Origin: http://api.example"]),
    "its own page, before the proxy": ("POST", ["Origin: https://api.example"]),
    "a page of a listed origin": ("POST", ["Origin: https://app.example"]),
    "a page of a pattern": ("DELETE", ["Origin: https://a.pages.example"]),
    "its own page, which names no origin": ("GET", ["Sec-Fetch-Site: same-origin"]),
    "somebody who typed the address": ("GET", ["Sec-Fetch-Site: none"]),
    "an old browser that only reads": ("HEAD", []),
}


@pytest.mark.parametrize(("method", "fields"), PASSES.values(), ids=PASSES.keys())
def test_lets_pass(method: str, fields: list[str]) -> None:
    check_same_site(request(*fields, method=method), cors=CORS, resource=BEHIND_A_PROXY)


REFUSED = {
    "a page of another origin": ("POST", ["Origin: https://evil.example"]),
    "a page of another origin that reads": ("GET", ["Origin: https://evil.example"]),
    "a page that hides its origin": ("POST", ["Origin: null"]),
    "another port": ("POST", ["Origin: http://api.example:8080"]),
    "a page of the same site": ("POST", ["Sec-Fetch-Site: same-site"]),
    "an image in another page": ("GET", ["Sec-Fetch-Site: cross-site"]),
    "an origin that contradicts the rest": ("POST", ["Origin: https://evil.example", "Sec-Fetch-Site: same-origin"]),
    "an old browser that writes": ("POST", []),
}


@pytest.mark.parametrize(("method", "fields"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("cors", [CORS, CrossOriginPolicy(["*"])], ids=["listed", "a star names nobody"])
def test_refuses(method: str, fields: list[str], cors: CrossOriginPolicy) -> None:
    with pytest.raises(tornado.web.HTTPError) as refusal:
        check_same_site(request(*fields, method=method), cors=cors, resource=BEHIND_A_PROXY)
    assert 403 == refusal.value.status_code
