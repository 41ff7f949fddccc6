"""The page where a user approves what clients ask for behind their back (OpenID Connect CIBA section 8)."""

from __future__ import annotations

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.handlers.pages.sign_in import WRONG_PASSWORD, PageHandler
from fakeissuer.oauth.authorization import backchannel
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.pending import BackchannelAuthentication
from fakeissuer.state.sessions import Session


class ApproveHandler(PageHandler):
    """Who the user is, then one request after the other."""

    def show(self, session: Session) -> Reply:
        """Return the page for the oldest request, or the one to sign in."""
        if session.login is None or session.has_ended(self.state.clock.now()):
            return self._ask_who(session)
        waiting = backchannel.waiting_for(self.state, session.login)
        if not waiting:
            return page("message", heading="Nothing waits for you", sentence="You may close this page.", code="")
        return self._ask_whether(session, waiting[0])

    def act(self, session: Session) -> Reply:
        """Sign the user in, or carry out their verdict, and show what comes next."""
        state, parameters = self.state, self.parameters
        if "verdict" not in parameters:
            user = user_of(state.directory, parameters)
            if user is None:
                return self._ask_who(session, WRONG_PASSWORD)
            session.sign_in(user.login, state.clock.now())
            return self.show(session)
        named = [
            awaited
            for awaited in backchannel.waiting_for(state, session.login or "")
            if awaited.name == parameters.get("waiting")
        ]
        if not named or session.has_ended(state.clock.now()):
            raise Refused(Problem.PAGE_OUTDATED)
        backchannel.settle(state, named, is_allowed=parameters["verdict"] == "allow")
        return self.show(session)

    def _ask_who(self, session: Session, problem: str = "") -> Reply:
        return self.sign_in_page(session, "The fake issuer", "", problem=problem, may_cancel=False)

    def _ask_whether(self, session: Session, awaited: BackchannelAuthentication) -> Reply:
        client = self.state.directory.clients.get(awaited.client_id)
        return self.consent_page(
            session,
            client.name if client is not None else awaited.client_id,
            awaited.scopes,
            binding_message=awaited.binding_message,
            hidden={**self.hidden(session), "waiting": awaited.name},
        )
