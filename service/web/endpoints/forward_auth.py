"""Judges requests for a proxy, which asks before it lets one through to something that knows no tokens.

nginx asks by ``auth_request``, Traefik by ``ForwardAuth`` and Caddy by ``forward_auth``.
"""

from __future__ import annotations

import urllib.parse
from typing import Any, ClassVar

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import SERVICE_TAG

_UNESCAPED = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")
"""What stands in a field as it is; the rest would end it, begin another, or be read in two ways."""
_RESPONSE_FIELDS = {
    "X-Auth-Subject": "Whom the token is about.",
    "X-Auth-Client-Id": "The client that it was issued to.",
    "X-Auth-Scopes": "What it allows, separated by spaces.",
}


class ForwardAuth(BearerAuthMixin, tornado.web.RequestHandler):
    """Says who is behind a request; a subclass with requirements of its own says whether that is enough."""

    # No page asks it anything: a preflight here is one that a proxy asks about, and 204 would let it pass unjudged.
    _handles_preflights = False

    openapi: ClassVar[dict[str, Any]] = {
        "GET": {
            "responses": {
                "204": {
                    "description": "The request may pass. What is not visible ASCII is percent-encoded.",
                    "headers": {
                        name: {"description": words, "required": True, "schema": {"type": "string"}}
                        for name, words in _RESPONSE_FIELDS.items()
                    },
                }
            },
            **SERVICE_TAG,
        }
    }

    def get(self) -> None:
        """Let a request pass whose token is good, and say whose it is."""
        principal = self.principal
        scopes = " ".join(map(_field_value, sorted(principal.scopes)))
        # All of them each time, if need be empty: a proxy puts them in place of what the client wrote there itself.
        values = (_field_value(principal.subject or ""), _field_value(principal.client_id or ""), scopes)
        for name, value in zip(_RESPONSE_FIELDS, values, strict=True):
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")
        self.set_status(204)


def _field_value(text: str) -> str:
    return urllib.parse.quote(text, safe=_UNESCAPED)


ROUTES = [(r"/auth", ForwardAuth)]
