from __future__ import annotations

import pytest
from requesting import request

from service.errors import CrossSiteRequest
from service.web.handler.csrf import check_same_site, is_own_page
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource

CORS = CrossOriginPolicy(["https://app.example", "https://*.pages.example"])
BEHIND_A_PROXY = Resource(public_url="https://api.example/v1")

ALLOWED = {
    "a page of the public URL": ("POST", ["Origin: https://api.example"]),
    "a page of the public URL, with Sec-Fetch-Site": (
        "POST",
        ["Origin: https://api.example", "Sec-Fetch-Site: same-origin"],
    ),
    "a page of a listed origin, with Sec-Fetch-Site": (
        "POST",
        ["Origin: https://app.example", "Sec-Fetch-Site: cross-site"],
    ),
    "a page of a listed origin": ("POST", ["Origin: https://app.example"]),
    "a page of a pattern": ("DELETE", ["Origin: https://a.pages.example"]),
    "its own page, without Origin": ("GET", ["Sec-Fetch-Site: same-origin"]),
    "an address that the user typed": ("GET", ["Sec-Fetch-Site: none"]),
    "a safe method of an old browser": ("HEAD", []),
    "a link on a page of another site, or the redirect after a login": (
        "GET",
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
    ),
}


@pytest.mark.parametrize(("method", "fields"), ALLOWED.values(), ids=ALLOWED.keys())
def test_requests_of_own_and_listed_pages_are_allowed(method: str, fields: list[str]) -> None:
    check_same_site(request(*fields, method=method), cors=CORS, resource=BEHIND_A_PROXY)


REJECTED = {
    "a page of another origin": ("POST", ["Origin: https://evil.example"]),
    "a read by a page of another origin": ("GET", ["Origin: https://evil.example"]),
    "a page of this host without TLS": ("POST", ["Origin: http://api.example"]),
    "a page of this host without TLS, with Sec-Fetch-Site": (
        "POST",
        ["Origin: http://api.example", "Sec-Fetch-Site: cross-site"],
    ),
    "an own origin that contradicts Sec-Fetch-Site": (
        "POST",
        ["Origin: https://api.example", "Sec-Fetch-Site: cross-site"],
    ),
    "an own origin of another page of the site": ("GET", ["Origin: https://api.example", "Sec-Fetch-Site: same-site"]),
    "two values of Sec-Fetch-Site": (
        "POST",
        ["Origin: https://api.example", "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"],
    ),
    "an opaque origin": ("POST", ["Origin: null"]),
    "another port": ("POST", ["Origin: http://api.example:8080"]),
    "a page of the same site": ("POST", ["Sec-Fetch-Site: same-site"]),
    "an image in another page": ("GET", ["Sec-Fetch-Site: cross-site"]),
    "a frame in another page": (
        "GET",
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
    ),
    "a script of another page that claims to open a document": (
        "GET",
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: document"],
    ),
    "a link, by a page that sends its origin": (
        "GET",
        [
            "Origin: https://evil.example",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Mode: navigate",
            "Sec-Fetch-Dest: document",
        ],
    ),
    "a form of another page that opens a document": (
        "POST",
        ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
    ),
    "an origin that contradicts Sec-Fetch-Site": (
        "POST",
        ["Origin: https://evil.example", "Sec-Fetch-Site: same-origin"],
    ),
    "an unsafe method of an old browser": ("POST", []),
}


@pytest.mark.parametrize(("method", "fields"), REJECTED.values(), ids=REJECTED.keys())
@pytest.mark.parametrize("cors", [CORS, CrossOriginPolicy(["*"])], ids=["listed", "a star"])
def test_requests_of_other_pages_are_rejected(method: str, fields: list[str], cors: CrossOriginPolicy) -> None:
    with pytest.raises(CrossSiteRequest):
        check_same_site(request(*fields, method=method), cors=cors, resource=BEHIND_A_PROXY)


OWN_PAGES = {
    "this host": (["Origin: http://api.example"], True, True),
    "this host, with Sec-Fetch-Site": (["Origin: http://api.example", "Sec-Fetch-Site: same-origin"], True, True),
    "this host with another scheme": (["Origin: https://api.example"], False, True),
    "this host, contradicted": (["Origin: http://api.example", "Sec-Fetch-Site: cross-site"], False, False),
    "another host": (["Origin: http://evil.example"], False, False),
}


@pytest.mark.parametrize(("fields", "same_scheme", "any_scheme"), OWN_PAGES.values(), ids=OWN_PAGES.keys())
def test_without_a_public_url_the_pages_of_this_host_are_its_own(
    fields: list[str], same_scheme: object, any_scheme: object
) -> None:
    presented = request(*fields)
    origin = presented.headers["Origin"]
    assert same_scheme is is_own_page(origin, presented, Resource())
    assert any_scheme is is_own_page(origin, presented, Resource(), any_scheme=True)
