"""Rejects requests that another site sends with a user's cookie (RFC 9110 section 9.2.1, Fetch Metadata)."""

from __future__ import annotations

import urllib.parse

from tornado.httputil import HTTPServerRequest

from service.errors import CrossSiteRequest
from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})
"""``Sec-Fetch-Site`` of a request by our own page, and of an address that the user typed."""


def check_same_site(request: HTTPServerRequest, *, cors: CrossOriginPolicy, resource: Resource) -> None:
    """Check that one of our own pages, or one of a listed origin, sent a request with a token in a cookie.

    A browser adds cookies to requests that any page makes, so an attacker's page would act as our user
    (cross-site request forgery).
    A link on any page may lead to a document of ours, and so may the redirect after a login.

    Raises:
        CrossSiteRequest: Another site sent the request, or the headers do not say which did.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None:
        if cors.lists(origin) or is_own_page(origin, request, resource):
            return
    elif site is not None:
        if site in _OWN_SITES or _opens_document(request):
            return
    elif request.method in _SAFE_METHODS:
        return  # an old browser without either header; the request changes nothing, and other pages cannot read it
    raise CrossSiteRequest("a cookie that was sent from another origin")


def _opens_document(request: HTTPServerRequest) -> bool:
    """Return whether the browser shows the response as a page of its own, which no other page can read or embed."""
    # Not ``iframe``, ``object`` or ``embed``: a page that frames ours could lead the user's clicks (clickjacking).
    fetch = (request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest"))
    return request.method in _SAFE_METHODS and fetch == ("navigate", "document")


def is_own_page(origin: str, request: HTTPServerRequest, resource: Resource, *, any_scheme: bool = False) -> bool:
    """Return whether one of our own pages sent a request: one of the public URL, whatever ``Host`` a proxy sends.

    Without a public URL, our pages are those of the host in the request. ``Sec-Fetch-Site`` must not contradict: behind
    a proxy that ends TLS, the origin of a page that an attacker on the network serves without TLS looks like our own.

    Args:
        origin: The header ``Origin``.
        any_scheme: Whether a page of the host in the request may have another scheme than the request.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in _OWN_SITES:
        return False
    if resource.page_origin is not None:
        return origin == resource.page_origin
    if any_scheme:
        return urllib.parse.urlsplit(origin).netloc.lower() == request.host.lower()
    return origin == f"{request.protocol}://{request.host}"
