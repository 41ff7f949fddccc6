"""Lets browsers of listed origins read our answers, refusals included (Fetch standard, CORS protocol)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tornado.httputil import HTTPHeaders

__all__ = ["CrossOriginPolicy", "is_preflight"]

_FIELD_NAMES = re.compile(r"[A-Za-z0-9\-_]+(?: *, *[A-Za-z0-9\-_]+)*", re.ASCII)
_PREFLIGHT_AGE = "600"
"""Seconds for which a browser need not ask again."""


def is_preflight(method: str | None, headers: HTTPHeaders) -> bool:
    """Return whether a browser asks if it may ask; such a request carries no credentials, so it is never refused."""
    return method == "OPTIONS" and "Origin" in headers and "Access-Control-Request-Method" in headers


class CrossOriginPolicy:
    """The origins whose pages may read our answers.

    Args:
        origins: Compared character by character; ``*`` allows every page, which a bearer token survives,
            since no browser adds one by itself.
    """

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origins)

    def headers_for(self, origin: str | None) -> Mapping[str, str]:
        """Return what lets a page of this origin read an answer; nothing for origins that are not listed."""
        if not self._origins:
            return {}
        allowed = "*" if "*" in self._origins else origin if origin in self._origins else None
        # An answer for one origin must not be served to another from a cache.
        headers = {} if allowed == "*" else {"Vary": "Origin"}
        if allowed:
            headers["Access-Control-Allow-Origin"] = allowed
            headers["Access-Control-Expose-Headers"] = "WWW-Authenticate, Retry-After"
        return headers

    def preflight_headers_for(self, request_headers: HTTPHeaders, methods: Iterable[str]) -> Mapping[str, str]:
        """Return what lets a browser send the request that it asked about."""
        headers = dict(self.headers_for(request_headers.get("Origin")))
        if "Access-Control-Allow-Origin" in headers:
            asked = request_headers.get("Access-Control-Request-Headers", "")
            del headers["Access-Control-Expose-Headers"]  # means nothing on a preflight
            headers["Access-Control-Allow-Methods"] = ", ".join(methods)
            headers["Access-Control-Allow-Headers"] = asked if _FIELD_NAMES.fullmatch(asked) else "Authorization"
            headers["Access-Control-Max-Age"] = _PREFLIGHT_AGE
        return headers
