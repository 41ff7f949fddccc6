"""The endpoints of Okta's guide "Protect your API endpoints": one public, one protected."""

from __future__ import annotations

from typing import Any, ClassVar

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import json_response


class Hello(BearerAuthMixin, tornado.web.RequestHandler):
    """Returns a greeting without reading a token."""

    public = True
    _head_as_get = True
    openapi: ClassVar[dict[str, Any]] = {
        "GET": json_response({"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}})
    }

    def get(self) -> None:
        """Return a greeting."""
        self.write({"message": "Hello world!"})

    def compute_etag(self) -> None:
        """Send no ``ETag``: the body is shorter than the header field that would save it."""


class WhoAmI(BearerAuthMixin, tornado.web.RequestHandler):
    """Returns the claims of the caller's token."""

    _head_as_get = True
    openapi: ClassVar[dict[str, Any]] = {"GET": json_response({"type": "object"}, "The claims of the token.")}

    def get(self) -> None:
        """Return the claims of the access token."""
        self.write(dict(self.principal.claims))

    def compute_etag(self) -> None:
        """Send no ``ETag``, since no client asks for the claims of one token again."""


class NotFound(BearerAuthMixin, tornado.web.ErrorHandler):
    """Responds 404 on every path without a route.

    An application that looks for a route in several others recognizes Tornado's class, and continues.
    """

    public = True

    def initialize(self, status_code: int = 404) -> None:
        """Set the status, for which Tornado's class has no default."""
        super().initialize(status_code)

    def prepare(self) -> None:
        """Respond 404 to every method."""
        raise tornado.web.HTTPError(404)


ROUTES = [(r"/api/hello", Hello), (r"/api/whoami", WhoAmI)]
