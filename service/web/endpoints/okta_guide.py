"""The endpoints of Okta's guide "Protect your API endpoints": one for everybody, one for those with a token."""

from __future__ import annotations

from typing import Any, ClassVar

import tornado.web

from service.web.handler.mixin import BearerAuthMixin
from service.web.openapi.overrides import json_response


class Hello(BearerAuthMixin, tornado.web.RequestHandler):
    """Greets anybody, whatever token they bring."""

    public = True
    openapi: ClassVar[dict[str, Any]] = {
        "GET": json_response({"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}})
    }

    def get(self) -> None:
        """Say hello."""
        self.write({"message": "Hello world!"})


class WhoAmI(BearerAuthMixin, tornado.web.RequestHandler):
    """Tells the caller what its token says."""

    openapi: ClassVar[dict[str, Any]] = {"GET": json_response({"type": "object"}, "The claims, by their names.")}

    def get(self) -> None:
        """Return the claims of the access token."""
        self.write(dict(self.principal.claims))


class NotFound(BearerAuthMixin, tornado.web.RequestHandler):
    """Answers for every path that nothing is mounted at."""

    public = True

    def prepare(self) -> None:
        """Refuse, whatever the method."""
        raise tornado.web.HTTPError(404)


ROUTES = [(r"/api/hello", Hello), (r"/api/whoami", WhoAmI)]
