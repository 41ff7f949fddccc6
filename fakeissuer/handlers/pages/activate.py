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

    def show(self, session: Session) -> Reply:
        """Return the page that asks for the code; with `--auto-login` a code that is in the URL is enough."""
        state, user_code = self.state, self.parameters.get("user_code", "")
        found = device.find(state, user_code)
        if state.auto_login is not None and found is not None:
            session.sign_in(state.auto_login, state.clock.now())
            return self._settle(session, found, is_allowed=True)
        return self._ask_for_code(session, user_code)

    def act(self, session: Session) -> Reply:
        """Ask for whatever is still missing: a code that is right, a user, a verdict."""
        state, parameters = self.state, self.parameters
        found = device.find(state, parameters.get("user_code", ""))
        if found is None:
            problem = "There is no device that waits with this code."
            return self._ask_for_code(session, parameters.get("user_code", ""), problem)
        user = user_of(state.directory, parameters)
        if user is not None:
            session.sign_in(user.login, state.clock.now())
        if session.login is None or session.has_ended(state.clock.now()):
            return self._ask_who(session, found, WRONG_PASSWORD if parameters.keys() & {"username", "pick"} else "")
        if "verdict" not in parameters:
            return self._ask_whether(session, found)
        return self._settle(session, found, is_allowed=parameters["verdict"] == "allow")

    def _ask_for_code(self, session: Session, user_code: str, problem: str = "") -> Reply:
        hidden = self.hidden(session)
        return page("activate", action=self.request.path, user_code=user_code, hidden=hidden, problem=problem)

    def _ask_who(self, session: Session, found: device.Found, problem: str) -> Reply:
        hidden = self._hidden_with_code(session, found)
        return self.sign_in_page(session, found.client.name, "", problem=problem, may_cancel=False, hidden=hidden)

    def _ask_whether(self, session: Session, found: device.Found) -> Reply:
        hidden = self._hidden_with_code(session, found)
        return self.consent_page(session, found.client.name, found.waiting.scopes, hidden=hidden)

    def _hidden_with_code(self, session: Session, found: device.Found) -> dict[str, str]:
        return {**self.hidden(session), "user_code": found.waiting.user_code}

    def _settle(self, session: Session, found: device.Found, *, is_allowed: bool) -> Reply:
        if is_allowed:
            device.approve(self.state, session, found)
        else:
            device.refuse(self.state, found)
        heading = "Your device is activated" if is_allowed else "Your device was not let in"
        return page("message", heading=heading, sentence="You may close this page.", code="")
