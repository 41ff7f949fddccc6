"""Keeps other sites from speaking with a browser's cookie (RFC 9110 section 9.2.1, Fetch metadata)."""

from __future__ import annotations

import tornado.web
from tornado.httputil import HTTPServerRequest

from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource

_SAFE = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})
"""What a browser says of a request by our own page, and of an address that somebody typed."""


def check_same_site(request: HTTPServerRequest, *, cors: CrossOriginPolicy, resource: Resource) -> None:
    """Let a request pass whose token is a cookie, if one of our pages, or of a listed origin, sent it.

    A browser adds a cookie to what any page makes it send, so that a page of an attacker's would act as our user
    (cross-site request forgery).

    Raises:
        tornado.web.HTTPError: 403, another page sent it, or nobody can tell which.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin in {resource.origin, f"{request.protocol}://{request.host}"} or cors.lists(origin):
            return
    elif site := request.headers.get("Sec-Fetch-Site"):
        if site in _OWN_SITES:
            return
    elif request.method in _SAFE:
        return  # an old browser, which names no origin here; what it asks for changes nothing, and is not shown
    raise tornado.web.HTTPError(403, "a cookie that was sent from another origin")
