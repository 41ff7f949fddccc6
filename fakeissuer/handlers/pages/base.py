"""What the endpoints and pages for people share: a session behind a cookie, and errors as pages."""

from __future__ import annotations

from tornado.web import HTTPError

from fakeissuer.errors import OAuthError
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.sessions import Session


class BrowserMixin(OktaHandler):
    """Whoever comes here sits at a browser."""

    def session(self) -> Session:
        """Return the session of the browser, a new one if it shows no cookie of ours."""
        return self.state.sessions.get_or_create(self._cookie, self.now)

    def with_session(self, session: Session, reply: Reply) -> Reply:
        """Keep the session, and return the reply with its cookie where the browser does not have it yet."""
        self.state.sessions.save(session, self._cookie, self.now)
        if session.cookie == self._cookie:
            return reply
        # Over TLS as Okta sends it, for a silent sign-in in a frame; a browser takes no such cookie without TLS.
        attributes = "SameSite=None; Secure" if self.request.protocol == "https" else "SameSite=Lax"
        cookie = f"{self.state.cookie_name}={session.cookie}; Path=/; HttpOnly; {attributes}"
        return reply.with_defaults({"Set-Cookie": cookie})

    def error_page(self, error: OAuthError) -> Reply:
        """Return a refusal that nobody but the person at the browser is told; as JSON to a program that asks so."""
        accepted = self.request.headers.get("Accept", "")
        spec = error.case.value
        if "application/json" in accepted and "text/html" not in accepted:
            return self.error_reply(error)
        heading = "This does not work" if spec.status < 500 else "Something went wrong"
        return page("message", spec.status, heading=heading, sentence=str(error), code=spec.code)

    def reject(self, error: OAuthError) -> Reply:
        """Return a page to a browser, which alone names HTML: a program that goes astray here can read JSON."""
        return (
            self.error_page(error) if "text/html" in self.request.headers.get("Accept", "") else self.error_reply(error)
        )

    @property
    def _cookie(self) -> str | None:
        morsel = self.request.cookies.get(self.state.cookie_name)
        return None if morsel is None else morsel.value


class NotFoundHandler(BrowserMixin):
    """The answer at a path where there is none."""

    async def prepare(self) -> None:
        """Refuse whatever it is."""
        raise HTTPError(404)
