"""The endpoints of Okta's guide "Protect your API endpoints": one for everybody, one for those with a token."""

from __future__ import annotations

import tornado.web

from service.web.mixin import BearerAuthMixin

__all__ = ["ROUTES", "Hello", "NotFound", "WhoAmI"]


class Hello(BearerAuthMixin, tornado.web.RequestHandler):
    """Greets anybody, whatever token they bring."""

    public = True

    def get(self) -> None:
        """Say hello."""
        self.write({"message": "Hello world!"})


class WhoAmI(BearerAuthMixin, tornado.web.RequestHandler):
    """Tells the caller what its token says."""

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
