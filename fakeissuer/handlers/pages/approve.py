"""The page on which a user approves backchannel authentication requests (OpenID Connect CIBA section 8)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.pages.sign_in import WRONG_PASSWORD, PageHandler
from fakeissuer.oauth.authorization import backchannel
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply
from fakeissuer.state.pending import BackchannelAuthentication
from fakeissuer.state.sessions import Session


class ApproveHandler(PageHandler):
    """Sign the user in and show their pending requests, one at a time."""

    def render_page(self, session: Session) -> Reply:
        """Return the page of the oldest pending request, or the sign-in page."""
        if session.login is None or session.is_expired(self.now):
            return self._sign_in_page(session)
        pending = backchannel.pending_for(self.state, session.login)
        if not pending:
            return page("message", heading="Nothing waits for you", sentence="You may close this page.", code="")
        return self._consent_page(session, pending[0])

    def submit(self, session: Session) -> Reply:
        """Sign the user in, or approve or deny a request, and return the next page."""
        state, parameters = self.state, self.parameters
        if "decision" not in parameters:
            user = user_of(state.registry, parameters)
            if user is None:
                return self._sign_in_page(session, WRONG_PASSWORD)
            session.sign_in(user.login, self.now)
            return self.render_page(session)
        matching = [
            authentication
            for authentication in backchannel.pending_for(state, session.login or "")
            if authentication.name == parameters.get("interaction")
        ]
        if not matching or session.is_expired(self.now):
            raise OAuthError(ErrorCase.PAGE_OUTDATED)
        backchannel.resolve(state, matching, is_allowed=parameters["decision"] == "allow")
        return self.render_page(session)

    def _sign_in_page(self, session: Session, problem: str = "") -> Reply:
        return self.sign_in_page(session, "The fake issuer", "", problem=problem, may_cancel=False)

    def _consent_page(self, session: Session, authentication: BackchannelAuthentication) -> Reply:
        client = self.state.registry.clients.get(authentication.client_id)
        return self.consent_page(
            session,
            client.name if client is not None else authentication.client_id,
            authentication.scopes,
            binding_message=authentication.binding_message,
            hidden={**self.hidden_fields(session), "interaction": authentication.name},
        )
