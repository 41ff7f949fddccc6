"""The page where a user lets a device in (RFC 8628 section 3.3)."""

from __future__ import annotations

from fakeissuer.handlers.pages.sign_in import WRONG_PASSWORD, PageHandler
from fakeissuer.oauth.authorization import device
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.sessions import Session


class ActivateHandler(PageHandler):
    """Letting a device in: the code that it shows, the user, and whether it is to be (RFC 8628 section 3.3)."""

    def render_page(self, session: Session) -> Reply:
        """Return the page that asks for the code; with ``--auto-login`` a code that is in the URL is enough."""
        state, user_code = self.state, self.parameters.get("user_code", "")
        found = device.find(state, user_code)
        if state.auto_login is not None and found is not None:
            session.sign_in(state.auto_login, state.clock.now())
            return self._finish(session, found, is_allowed=True)
        return self._code_page(session, user_code)

    def submit(self, session: Session) -> Reply:
        """Ask for whatever is still missing: a code that is right, a user, a verdict."""
        state, parameters = self.state, self.parameters
        found = device.find(state, parameters.get("user_code", ""))
        if found is None:
            problem = "There is no device that waits with this code."
            return self._code_page(session, parameters.get("user_code", ""), problem)
        user = user_of(state.registry, parameters)
        if user is not None:
            session.sign_in(user.login, state.clock.now())
        if session.login is None or session.is_expired(state.clock.now()):
            return self._sign_in_page(
                session, found, WRONG_PASSWORD if parameters.keys() & {"username", "choice"} else ""
            )
        if "decision" not in parameters:
            return self._consent_page(session, found)
        return self._finish(session, found, is_allowed=parameters["decision"] == "allow")

    def _code_page(self, session: Session, user_code: str, problem: str = "") -> Reply:
        hidden = self.hidden_fields(session)
        return page("activate", action=self.request.path, user_code=user_code, hidden=hidden, problem=problem)

    def _sign_in_page(self, session: Session, found: device.FoundDevice, problem: str) -> Reply:
        hidden = self._hidden_with_code(session, found)
        return self.sign_in_page(session, found.client.name, "", problem=problem, may_cancel=False, hidden=hidden)

    def _consent_page(self, session: Session, found: device.FoundDevice) -> Reply:
        hidden = self._hidden_with_code(session, found)
        return self.consent_page(session, found.client.name, found.authorization.scopes, hidden=hidden)

    def _hidden_with_code(self, session: Session, found: device.FoundDevice) -> dict[str, str]:
        return {**self.hidden_fields(session), "user_code": found.authorization.user_code}

    def _finish(self, session: Session, found: device.FoundDevice, *, is_allowed: bool) -> Reply:
        if is_allowed:
            device.approve(self.state, session, found)
        else:
            device.deny(self.state, found)
        heading = "Your device is activated" if is_allowed else "Your device was not let in"
        return page("message", heading=heading, sentence="You may close this page.", code="")
