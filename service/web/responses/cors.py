"""CORS: lets pages of listed origins read responses, error responses included (Fetch standard, CORS protocol)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tornado.httputil import HTTPHeaders

from service.urls import origin_pattern, parse_origin
from service.web.responses.caching import add_to_vary

_FIELD_NAMES = re.compile(r"[A-Za-z0-9\-_]+(?: *, *[A-Za-z0-9\-_]+)*", re.ASCII)
_OPAQUE_ORIGIN = "null"
"""The origin of pages that hide theirs, such as sandboxed frames; a star does not include it."""
_EXPOSED_HEADERS = "WWW-Authenticate, DPoP-Nonce, Retry-After, X-Request-Id"
_PREFLIGHT_AGE = "600"
"""Seconds for which a browser may cache the response to a preflight."""


def is_preflight(headers: HTTPHeaders) -> bool:
    """Return whether an OPTIONS request is a preflight, which has no credentials and is therefore never rejected."""
    return "Origin" in headers and "Access-Control-Request-Method" in headers


class CrossOriginPolicy:
    """The origins whose pages may read responses.

    Args:
        origins: Compared character by character; a star before a domain matches one label or more. ``*`` alone allows
            every page, which is safe because no browser sends a bearer token by itself.

    Raises:
        ValueError: A value is not an origin.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        listed = tuple(origins)
        self.is_enabled = bool(listed)
        for origin in listed:
            parse_origin(origin)
        self._origins = frozenset(listed)
        self._patterns = tuple(pattern for origin in listed if (pattern := origin_pattern(origin)))

    def headers_for(self, origin: str | None) -> Mapping[str, str]:
        """Return the CORS headers of a response to a page of this origin; none if the origin is not listed.

        Cookies are never allowed, and only listed origins are repeated.
        """
        if "*" in self._origins and origin != _OPAQUE_ORIGIN:
            allowed = "*"  # also without an Origin: a cache may serve the response to a page
        elif origin is not None and self.lists(origin):
            allowed = origin
        else:
            return {}
        return {"Access-Control-Allow-Origin": allowed, "Access-Control-Expose-Headers": _EXPOSED_HEADERS}

    def vary(self, own: str | None, *, origin: str | None) -> str | None:
        """Return the header ``Vary`` of a response, since a cache must not serve it to a page of another origin.

        Args:
            own: The value that the handler has set, or None.
        """
        if not self._origins or ("*" in self._origins and origin != _OPAQUE_ORIGIN):
            return own
        return add_to_vary(own, ["Origin"])

    def preflight_headers_for(self, request_headers: HTTPHeaders, methods: Iterable[str]) -> Mapping[str, str]:
        """Return the headers of the response to a preflight."""
        headers = dict(self.headers_for(request_headers.get("Origin")))
        if "Access-Control-Allow-Origin" in headers:
            names = request_headers.get("Access-Control-Request-Headers", "")
            del headers["Access-Control-Expose-Headers"]  # has no effect on a preflight
            headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            headers["Access-Control-Allow-Headers"] = names if _FIELD_NAMES.fullmatch(names) else "Authorization"
            headers["Access-Control-Max-Age"] = _PREFLIGHT_AGE
            if "*" not in self._origins and request_headers.get("Access-Control-Request-Private-Network") == "true":
                # A star must not give every site access to the private network of its visitor.
                headers["Access-Control-Allow-Private-Network"] = "true"
        return headers

    def allows(self, origin: str) -> bool:
        """Return whether a page of this origin may open a WebSocket, for which browsers send no preflight."""
        return ("*" in self._origins and origin != _OPAQUE_ORIGIN) or self.lists(origin)

    def lists(self, origin: str) -> bool:
        """Return whether an origin is listed, literally or by a pattern; ``*`` alone lists none."""
        return origin in self._origins or any(pattern.fullmatch(origin) for pattern in self._patterns)
