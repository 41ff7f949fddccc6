"""Authenticates requests for a reverse proxy in front of services that do not validate tokens.

nginx uses it through ``auth_request``, Traefik through ``ForwardAuth``, Caddy through ``forward_auth``, Envoy through
``ext_authz``, and HAProxy and Apache through a script in Lua.
"""

from __future__ import annotations

import copy
import re
import urllib.parse
from asyncio import Future
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import tornado.web
from tornado.routing import PathMatches, Rule

from service.errors import InvalidRequest, Reason
from service.web.credentials.original_request import OriginalRequest, read_original_request
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
_GATE_PATH = re.compile(r"/auth(?:/[^/?]*)?")
"""The path of a gate; Envoy appends the original target."""
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
                "200": {
                    "description": "The request is allowed. Characters other than visible ASCII are percent-encoded.",
                    "headers": {
                        name: {"description": text, "required": True, "schema": {"type": "string"}}
                        for name, text in _RESPONSE_HEADERS.items()
                    },
                }
            },
            **SERVICE_TAG,
        }
    }

    def initialize(self) -> None:
        """Authenticate and authorize every method as GET."""
        # A preflight (OPTIONS) needs a token as well: a 2xx would make the proxy pass it on without authentication.
        self._original_method, self.request.method = self.request.method, "GET"

    def flush(self, include_footers: bool = False) -> Future[None]:  # noqa: FBT001, FBT002  # Tornado's signature
        """Send the response for the original method: without a body after HEAD, and with its name in the access log."""
        self.request.method = self._original_method or self.request.method
        return super().flush(include_footers)

    def get(self) -> None:
        """Allow a request with a valid token, and report its subject, client and scopes.

        The status is 200, because Envoy takes every other one for a rejection.
        """
        self._reject_similar_headers()
        self._read_original_request()
        principal = self.principal
        scopes = " ".join(map(_header_value, sorted(principal.scopes)))
        # All headers are always set, so that the proxy replaces those that the client sent.
        values = (_header_value(principal.subject or ""), _header_value(principal.client_id or ""), scopes)
        for name, value in zip(_RESPONSE_HEADERS, values, strict=True):
            self.set_header(name, value or _NONE)
        self.set_header("Cache-Control", "no-store")
        self.clear_header("Content-Type")  # there is no content

    @property
    def _target_below(self) -> str:
        """What follows the path of the gate in the target, as the client sent it; "" if nothing follows."""
        target = self.request.uri or ""
        if type(self) is ForwardAuth:
            return target.removeprefix("/auth") if self.request.path != "/auth" else ""
        found = _GATE_PATH.match(target)
        below = target[found.end() :] if found else ""
        return below if below.startswith("/") else ""

    def _proof_target(self) -> tuple[str, str | None]:
        """Return the original method and URL, which only a trusted proxy can report (RFC 9449 section 4.3)."""
        original = self._read_original_request()
        if original is None:
            return "", None
        return original.method, f"{self.request.protocol}://{self.request.host}{original.path}"

    def _read_original_request(self) -> OriginalRequest | None:
        method = self._original_method or ""
        return read_original_request(self.request, method=method, below=self._target_below)

    def compute_etag(self) -> None:
        """Send no ``ETag``, since a client could turn the response into a 304 with ``If-None-Match``."""

    def _reject_similar_headers(self) -> None:
        """Reject a request whose client sent ``X_Auth_Subject`` or the like.

        The proxy would pass it on beside its own ``X-Auth-Subject``, and CGI, WSGI and PHP read both as one header.

        Raises:
            InvalidRequest: There is such a header.
        """
        for name in self.request.headers:
            if name not in _RESPONSE_HEADERS and re.sub("[^a-z0-9]", "-", name.lower()) in _FOLDED_NAMES:
                raise InvalidRequest(Reason.IDENTITY_HEADER, f"the header {name}")


def _header_value(text: str) -> str:
    return "%2D" if text == _NONE else urllib.parse.quote(text, safe=_UNESCAPED)


ROUTES = [(r"/auth", ForwardAuth)]


def gate_routes(gates: Mapping[str, str]) -> list[Any]:
    """Return the routes of the gates in the settings, which map their names to the required scopes."""
    routes = []
    for name, scopes in gates.items():
        gate = _make_gate(name, scopes)
        routes += [(f"/auth/{name}", gate), (f"/auth/{name}/.*", gate)]
    return routes


def make_routes(gates: Mapping[str, str], *, others: Sequence[Any]) -> list[Any]:
    """Return the routes of ``/auth`` and of all paths below it, to be mounted before the other routes.

    The paths below are left to the gates in the settings and to the other routes if one of them is there, or leads to a
    :class:`ForwardAuth`: the general handler would accept tokens that do not meet the requirements of a gate.

    Args:
        gates: The names of the gates in the settings, and the scopes that they require.
    """
    if gates:
        return [*ROUTES, *gate_routes(gates)]
    # Tornado ties a rule that it mounts to the application, so it receives copies here.
    copies = [copy.copy(route) if isinstance(route, Rule) else route for route in others]
    mounted = mounted_routes(tornado.web.Application(copies), default=None)
    return ROUTES if any(map(_is_gate, mounted)) else [*ROUTES, (r"/auth/.*", ForwardAuth)]


def _make_gate(name: str, scopes: str) -> type[ForwardAuth]:
    title = "".join(part.title() for part in name.split("-"))
    attributes = {"__doc__": ForwardAuth.__doc__, "__module__": __name__, "scopes": scopes or ()}
    return type(f"{title}Gate", (ForwardAuth,), attributes)


def _is_gate(route: MountedRoute) -> bool:
    patterns = [matcher.regex.pattern for matcher in route.matchers if isinstance(matcher, PathMatches)]
    is_below = any(pattern.removeprefix("^").startswith("/auth/") for pattern in patterns)
    return is_below or (route.handler is not None and issubclass(route.handler, ForwardAuth))
