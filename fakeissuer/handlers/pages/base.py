"""Sessions and error pages, for every handler that a browser visits."""

from __future__ import annotations

from tornado.web import HTTPError

from fakeissuer.errors import OAuthError
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.sessions import Session


class BrowserMixin(OktaHandler):
    """A handler for browsers: it has a session and returns errors as pages."""

    def session(self) -> Session:
        """Return the session of the browser, or a new one if the cookie is missing or unknown."""
        return self.state.sessions.get_or_create(self._cookie, self.now)

    def with_session(self, session: Session, reply: Reply) -> Reply:
        """Save the session, and return the reply with its cookie unless the browser already sent that."""
        self.state.sessions.save(session, self._cookie, self.now)
        if session.cookie == self._cookie:
            return reply
        # Okta sends SameSite=None, for silent sign-in in a frame; browsers reject that without TLS.
        attributes = "SameSite=None; Secure" if self.request.protocol == "https" else "SameSite=Lax"
        cookie = f"{self.state.cookie_name}={session.cookie}; Path=/; HttpOnly; {attributes}"
        return reply.with_defaults({"Set-Cookie": cookie})

    def error_page(self, error: OAuthError) -> Reply:
        """Return an error page, or a JSON error if the request accepts JSON and not HTML."""
        accepted = self.request.headers.get("Accept", "")
        spec = error.case.value
        if "application/json" in accepted and "text/html" not in accepted:
            return self.error_reply(error)
        heading = "This does not work" if spec.status < 500 else "Something went wrong"
        return page("message", spec.status, heading=heading, sentence=str(error), code=spec.code)

    def reject(self, error: OAuthError) -> Reply:
        """Return an error page if the request accepts HTML, as browsers do, else a JSON error."""
        return (
            self.error_page(error) if "text/html" in self.request.headers.get("Accept", "") else self.error_reply(error)
        )

    @property
    def _cookie(self) -> str | None:
        morsel = self.request.cookies.get(self.state.cookie_name)
        return None if morsel is None else morsel.value


class NotFoundHandler(BrowserMixin):
    """Reject requests to unknown paths."""

    async def prepare(self) -> None:
        """Reject a request of any method with 404."""
        raise HTTPError(404)
