"""The page on which a user approves a device (RFC 8628 section 3.3)."""

from __future__ import annotations

from fakeissuer.handlers.pages.sign_in import WRONG_PASSWORD, PageHandler
from fakeissuer.oauth.authorization import device
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.handler import is_from_another_origin
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.sessions import Session


class ActivateHandler(PageHandler):
    """Ask for the user code, the user and the approval, in this order."""

    def render_page(self, session: Session) -> Reply:
        """Return the form for the code; with ``--auto-login`` a code in the URL approves the device at once.

        Not for a link on another site, which could make the browser approve the device of an attacker.
        """
        state, user_code = self.state, self.parameters.get("user_code", "")
        pending = device.find_pending(state, user_code)
        if state.auto_login is not None and pending is not None and not is_from_another_origin(self.request):
            session.sign_in(state.auto_login, self.now)
            return self._finish(session, pending, is_allowed=True)
        return self._code_page(session, user_code)

    def submit(self, session: Session) -> Reply:
        """Return the form for the next missing step, or the result."""
        state, parameters = self.state, self.parameters
        pending = device.find_pending(state, parameters.get("user_code", ""))
        if pending is None:
            problem = "There is no device that waits with this code."
            return self._code_page(session, parameters.get("user_code", ""), problem)
        user = user_of(state.registry, parameters)
        if user is not None:
            session.sign_in(user.login, self.now)
        if session.login is None or session.is_expired(self.now):
            return self._sign_in_page(
                session, pending, WRONG_PASSWORD if parameters.keys() & {"username", "choice"} else ""
            )
        if "decision" not in parameters:
            return self._consent_page(session, pending)
        return self._finish(session, pending, is_allowed=parameters["decision"] == "allow")

    def _code_page(self, session: Session, user_code: str, problem: str = "") -> Reply:
        hidden = self.hidden_fields(session)
        return page("activate", action=self.request.path, user_code=user_code, hidden=hidden, problem=problem)

    def _sign_in_page(self, session: Session, pending: device.PendingDevice, problem: str) -> Reply:
        hidden = self._hidden_with_code(session, pending)
        return self.sign_in_page(session, pending.client.name, "", problem=problem, may_cancel=False, hidden=hidden)

    def _consent_page(self, session: Session, pending: device.PendingDevice) -> Reply:
        hidden = self._hidden_with_code(session, pending)
        return self.consent_page(session, pending.client.name, pending.authorization.scopes, hidden=hidden)

    def _hidden_with_code(self, session: Session, pending: device.PendingDevice) -> dict[str, str]:
        return {**self.hidden_fields(session), "user_code": pending.authorization.user_code}

    def _finish(self, session: Session, pending: device.PendingDevice, *, is_allowed: bool) -> Reply:
        if is_allowed:
            device.approve(self.state, session, pending)
        else:
            device.deny(self.state, pending)
        heading = "Your device is activated" if is_allowed else "Your device was not let in"
        return page("message", heading=heading, sentence="You may close this page.", code="")
