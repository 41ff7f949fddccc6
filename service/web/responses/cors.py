"""Lets browsers of listed origins read our answers, refusals included (Fetch standard, CORS protocol)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import tornado.web
from tornado.httputil import HTTPHeaders

from service.urls import origin_pattern, parse_origin
from service.web.responses.methods import handler_methods

_FIELD_NAMES = re.compile(r"[A-Za-z0-9\-_]+(?: *, *[A-Za-z0-9\-_]+)*", re.ASCII)
_OPAQUE_ORIGIN = "null"
"""The origin of pages that hide theirs, such as a sandboxed frame of any page: a star does not mean them."""
_EXPOSED_HEADERS = "WWW-Authenticate, DPoP-Nonce, Retry-After"
_PREFLIGHT_AGE = "600"
"""Seconds for which a browser need not ask again."""


def is_preflight(headers: HTTPHeaders) -> bool:
    """Return whether an OPTIONS request is a preflight, which has no credentials and is therefore never rejected."""
    return "Origin" in headers and "Access-Control-Request-Method" in headers


class CrossOriginPolicy:
    """The origins whose pages may read our answers.

    Args:
        origins: Compared character by character, but for a star before a domain, which stands for one label or more;
            ``*`` alone allows every page, which a bearer token survives, since no browser adds one by itself.

    Raises:
        ValueError: One of them is no origin.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        listed = tuple(origins)
        self.is_enabled = bool(listed)
        for origin in listed:
            parse_origin(origin)
        self._origins = frozenset(listed)
        self._patterns = tuple(pattern for origin in listed if (pattern := origin_pattern(origin)))

    def headers_for(self, origin: str | None) -> Mapping[str, str]:
        """Return what lets a page of this origin read an answer; nothing for origins that are not listed.

        Cookies are never allowed, so that a star is no danger, and nothing else than what is listed is repeated.
        """
        if "*" in self._origins and origin != _OPAQUE_ORIGIN:
            allowed = "*"  # also where no page asks: a cache may give the answer to one
        elif origin is not None and self.lists(origin):
            allowed = origin
        else:
            return {}
        return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _EXPOSED_HEADERS}

    def vary(self, own: str | None, *, origin: str | None) -> str | None:
        """Return the field ``Vary`` of an answer, whose handler sets it for itself or not.

        An answer for one origin must not be served to another from a cache.
        """
        if not self._origins or ("*" in self._origins and origin != _OPAQUE_ORIGIN):
            return own
        listed = {name.strip().lower() for name in (own or "").split(",")}
        return own if listed & {"origin", "*"} else f"{own}, Origin" if own else "Origin"

    def preflight_headers_for(self, request_headers: HTTPHeaders, methods: Iterable[str]) -> Mapping[str, str]:
        """Return what lets a browser send the request that it asked about."""
        headers = dict(self.headers_for(request_headers.get("Origin")))
        if "Access-Control-Allow-Origin" in headers:
            asked = request_headers.get("Access-Control-Request-Headers", "")
            del headers["Access-Control-Expose-Headers"]  # means nothing on a preflight
            headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            headers["Access-Control-Allow-Headers"] = asked if _FIELD_NAMES.fullmatch(asked) else "Authorization"
            headers["Access-Control-Max-Age"] = _PREFLIGHT_AGE
            if "*" not in self._origins and request_headers.get("Access-Control-Request-Private-Network") == "true":
                # Only for pages that are listed: a star must not let every site into the network of its visitor.
                headers["Access-Control-Allow-Private-Network"] = "true"
        return headers

    def allows(self, origin: str) -> bool:
        """Return whether a page of this origin may call, where a browser does not ask first, as for a WebSocket."""
        return ("*" in self._origins and origin != _OPAQUE_ORIGIN) or self.lists(origin)

    def lists(self, origin: str) -> bool:
        """Return whether an origin is named, alone or by a pattern; a star for every page names nobody."""
        return origin in self._origins or any(pattern.fullmatch(origin) for pattern in self._patterns)


def send_preflight_response(handler: tornado.web.RequestHandler, policy: CrossOriginPolicy) -> None:
    """Respond to a preflight request with the methods that the handler has."""
    for name, value in policy.preflight_headers_for(handler.request.headers, handler_methods(type(handler))).items():
        handler.set_header(name, value)
    handler.clear_header("Access-Control-Expose-Headers")
    handler.set_status(204)
    handler.finish()
