"""Rejects requests that another site sends with a user's cookie (RFC 9110 section 9.2.1, Fetch Metadata)."""

from __future__ import annotations

from typing import Any

import tornado.web
from tornado.httputil import HTTPServerRequest

from service.web.responses.cors import CrossOriginPolicy
from service.web.responses.resource import Resource

_SAFE_METHODS = frozenset({"GET", "HEAD"})
_OWN_SITES = frozenset({"same-origin", "none"})
"""``Sec-Fetch-Site`` of a request by our own page, and of an address that the user typed."""


def apply_source_rules(handler: Any, place: str) -> None:
    """Protect a request whose token another site could send, or whose response a shared cache could store.

    Raises:
        tornado.web.HTTPError: 403, another site may have sent a token in a cookie.
    """
    if place == "cookie":
        check_same_site(handler.request, cors=handler._cors, resource=handler._context.resource)
    if place == "query":
        handler.set_header("Cache-Control", "private")  # RFC 6750 section 2.3


def check_same_site(request: HTTPServerRequest, *, cors: CrossOriginPolicy, resource: Resource) -> None:
    """Check that one of our own pages, or one of a listed origin, sent a request with a token in a cookie.

    A browser adds cookies to requests that any page makes, so an attacker's page would act as our user
    (cross-site request forgery).

    Raises:
        tornado.web.HTTPError: 403, another site sent the request, or the headers do not say which did.
    """
    origin = request.headers.get("Origin")
    if origin is not None:
        if origin in {resource.origin, f"{request.protocol}://{request.host}"} or cors.lists(origin):
            return
    elif site := request.headers.get("Sec-Fetch-Site"):
        if site in _OWN_SITES:
            return
    elif request.method in _SAFE_METHODS:
        return  # an old browser without either header; the request changes nothing, and other pages cannot read it
    raise tornado.web.HTTPError(403, "a cookie that was sent from another origin")
