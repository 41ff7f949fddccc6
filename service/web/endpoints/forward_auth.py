"""Authenticates requests for a reverse proxy in front of services that do not validate tokens.

nginx uses it through ``auth_request``, Traefik through ``ForwardAuth``, Caddy through ``forward_auth``, Envoy through
``ext_authz`` and HAProxy through ``auth-request``.
"""

from __future__ import annotations

import copy
import re
import urllib.parse
from asyncio import Future
from collections.abc import Sequence
from typing import Any, ClassVar

import tornado.web
from tornado.routing import PathMatches, Rule

from service.web.credentials.proxy_headers import is_from_trusted_proxy
from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import SERVICE_TAG
from service.web.routing.audit import MountedRoute, mounted_routes

_UNESCAPED = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
"""The characters of a header value that are not percent-encoded; others could end it or be ambiguous."""
_NONE = "-"
"""The value of a header that has none: Caddy 2.10 ignores an empty header, and would keep the client's own."""
_RESPONSE_HEADERS = {
    "X-Auth-Subject": "The subject of the token; ``-`` if it has none.",
    "X-Auth-Client-Id": "The client that the token was issued to; ``-`` if it has none.",
    "X-Auth-Scopes": "The scopes of the token, separated by spaces; ``-`` if it has none.",
}
_ORIGINAL_REQUEST = (("X-Forwarded-Method", "X-Forwarded-Uri"), ("X-Original-Method", "X-Original-URI"))
"""The headers with the method and the path of the original request: those of Traefik and Caddy, and of nginx."""
_FOLDED_NAMES = frozenset(name.lower() for name in _RESPONSE_HEADERS)


class ForwardAuth(BearerAuthMixin, tornado.web.RequestHandler):
    """Reports the subject, client and scopes of a token; a subclass may add requirements.

    A proxy sends GET, HEAD, or the method of the original request; all of them have the requirements of GET.
    """

    SUPPORTED_METHODS = ("GET",)
    _sends_error_header = True

    openapi: ClassVar[dict[str, Any]] = {
        "GET": {
            "responses": {
                status: {
                    "description": f"{description} Characters other than visible ASCII are percent-encoded.",
                    "headers": {
                        name: {"description": text, "required": True, "schema": {"type": "string"}}
                        for name, text in _RESPONSE_HEADERS.items()
                    },
                }
                for status, description in (
                    ("200", "The request is allowed, and the proxy is Envoy."),
                    ("204", "The request is allowed."),
                )
            },
            **SERVICE_TAG,
        }
    }

    def initialize(self) -> None:
        """Authenticate and authorize every method as GET."""
        # A preflight (OPTIONS) needs a token as well: a 204 would make the proxy pass it on without authentication.
        self._original_method, self.request.method = self.request.method, "GET"

    def flush(self, include_footers: bool = False) -> Future[None]:  # noqa: FBT001, FBT002  # Tornado's signature
        """Send the response for the original method: without a body after HEAD, and with its name in the access log."""
        self.request.method = self._original_method or self.request.method
        return super().flush(include_footers)

    def get(self) -> None:
        """Allow a request with a valid token, and report its subject, client and scopes."""
        self._reject_similar_headers()
        principal = self.principal
        scopes = " ".join(map(_header_value, sorted(principal.scopes)))
        # All headers are always set, so that the proxy replaces those that the client sent.
        values = (_header_value(principal.subject or ""), _header_value(principal.client_id or ""), scopes)
        for name, value in zip(_RESPONSE_HEADERS, values, strict=True):
            self.set_header(name, value or _NONE)
        self.set_header("Cache-Control", "no-store")
        # Every other proxy takes all 2xx for an acceptance.
        self.set_status(200 if "X-Envoy-Internal" in self.request.headers else 204)

    def _proof_target(self) -> tuple[str, str | None]:
        """Return the original method and URL, which only a trusted proxy can report (RFC 9449 section 4.3)."""
        headers = self.request.headers
        for method, path in _ORIGINAL_REQUEST:
            if method in headers and path in headers and is_from_trusted_proxy(self.request):
                target = headers[path].partition("?")[0]
                return headers[method], f"{self.request.protocol}://{self.request.host}{target}"
        return "", None

    def compute_etag(self) -> None:
        """Send no ``ETag``, since a client could turn the response into a 304 with ``If-None-Match``."""

    def _reject_similar_headers(self) -> None:
        """Reject a request whose client sent ``X_Auth_Subject`` or the like.

        The proxy would pass it on beside its own ``X-Auth-Subject``, and CGI, WSGI and PHP read both as one header.

        Raises:
            tornado.web.HTTPError: 400, there is such a header.
        """
        for name in self.request.headers:
            if name not in _RESPONSE_HEADERS and re.sub("[^a-z0-9]", "-", name.lower()) in _FOLDED_NAMES:
                raise tornado.web.HTTPError(400, "a header has the name of an identity header in another spelling")


def _header_value(text: str) -> str:
    return "%2D" if text == _NONE else urllib.parse.quote(text, safe=_UNESCAPED)


ROUTES = [(r"/auth", ForwardAuth)]


def make_routes(others: Sequence[Any]) -> list[Any]:
    """Return the routes of ``/auth`` and of all paths below it, to be mounted before the other routes.

    The paths below are left to the other routes if one of them is there, or leads to a :class:`ForwardAuth`: the
    general handler would accept tokens that do not meet the requirements of a subclass.
    """
    # Tornado ties a rule that it mounts to the application, so it receives copies here.
    copies = [copy.copy(route) if isinstance(route, Rule) else route for route in others]
    mounted = mounted_routes(tornado.web.Application(copies), default=None)
    return ROUTES if any(map(_is_gate, mounted)) else [*ROUTES, (r"/auth/.*", ForwardAuth)]


def _is_gate(route: MountedRoute) -> bool:
    patterns = [matcher.regex.pattern for matcher in route.matchers if isinstance(matcher, PathMatches)]
    is_below = any(pattern.removeprefix("^").startswith("/auth/") for pattern in patterns)
    return is_below or (route.handler is not None and issubclass(route.handler, ForwardAuth))
