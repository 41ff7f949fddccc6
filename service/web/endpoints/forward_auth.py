"""Authenticates requests for a reverse proxy in front of services that do not validate tokens.

nginx uses it through ``auth_request``, Traefik through ``ForwardAuth`` and Caddy through ``forward_auth``.
"""

from __future__ import annotations

import urllib.parse
from typing import Any, ClassVar

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import SERVICE_TAG

_UNESCAPED = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
"""The characters of a header value that are not percent-encoded; others could end it or be ambiguous."""
_RESPONSE_HEADERS = {
    "X-Auth-Subject": "The subject of the token.",
    "X-Auth-Client-Id": "The client that the token was issued to.",
    "X-Auth-Scopes": "The scopes of the token, separated by spaces.",
}


class ForwardAuth(BearerAuthMixin, tornado.web.RequestHandler):
    """Reports the subject, client and scopes of a token; a subclass may add requirements."""

    # The proxy forwards preflight requests too; a 204 would pass them on without authentication.
    _handles_preflights = False

    openapi: ClassVar[dict[str, Any]] = {
        "GET": {
            "responses": {
                "204": {
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

    def get(self) -> None:
        """Allow a request with a valid token, and report its subject, client and scopes."""
        principal = self.principal
        scopes = " ".join(map(_header_value, sorted(principal.scopes)))
        # All headers are set, even if empty, so that the proxy replaces those that the client sent.
        values = (_header_value(principal.subject or ""), _header_value(principal.client_id or ""), scopes)
        for name, value in zip(_RESPONSE_HEADERS, values, strict=True):
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")
        self.set_status(204)


def _header_value(text: str) -> str:
    return urllib.parse.quote(text, safe=_UNESCAPED)


ROUTES = [(r"/auth", ForwardAuth)]
