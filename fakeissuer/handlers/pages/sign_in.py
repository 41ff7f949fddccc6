"""The pages of an authorization request: sign-in and consent."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.handler import form_arguments, single_values
from fakeissuer.handlers.pages.base import BrowserMixin
from fakeissuer.model.redirect_uris import form_action_sources
from fakeissuer.oauth.authorization.flow import PendingInteraction, deny, next_step
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.handler import is_from_another_origin
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply

if TYPE_CHECKING:
    from fakeissuer.state.sessions import Session

WRONG_PASSWORD = "The user name or the password is wrong."  # noqa: S105  # a sentence


class PageHandler(BrowserMixin):
    """A page with a form that is posted to the page itself."""

    async def get(self) -> None:
        """Send the page."""
        self._respond(is_submitted=False)

    async def post(self) -> None:
        """Process the submitted form."""
        self._respond(is_submitted=True)

    def render_page(self, session: Session) -> Reply:
        """Return the page with its form."""
        raise NotImplementedError

    def submit(self, session: Session) -> Reply:
        """Return the response to the submitted form."""
        raise NotImplementedError

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the form, or of the URL of a GET request."""
        if self.request.method != "POST":
            return single_values(self.request.query_arguments)
        return single_values(form_arguments(self.request) or {})

    def hidden_fields(self, session: Session) -> dict[str, str]:
        """Return the hidden fields of every form; ``csrf`` is a secret of the session that other sites cannot know."""
        return {"csrf": session.csrf}

    def sign_in_page(
        self, session: Session, client_name: str, login_hint: str, *, problem: str, **values: Any
    ) -> Reply:
        """Return the sign-in page."""
        return page(
            "signin",
            action=self.request.path,
            client_name=client_name,
            users=list(self.state.registry.users.values()),
            login_hint=self.parameters.get("username", login_hint),
            problem=problem,
            **{"hidden": self.hidden_fields(session), **values},
        )

    def consent_page(self, session: Session, client_name: str, scopes: Iterable[str], **values: Any) -> Reply:
        """Return the consent page for these scopes, with the ``binding_message`` if one is passed."""
        return page(
            "consent",
            action=self.request.path,
            client_name=client_name,
            login=session.login,
            scopes=scopes,
            **{"hidden": self.hidden_fields(session), "binding_message": "", **values},
        )

    def _respond(self, *, is_submitted: bool) -> None:
        session = self.session()
        try:
            if is_submitted:
                self._check_csrf(session)
            reply = self.submit(session) if is_submitted else self.render_page(session)
        except OAuthError as error:
            reply = self.error_page(error)
        self.send(self.with_session(session, reply))

    def _check_csrf(self, session: Session) -> None:
        # Cross-site request forgery: a form on another site could sign a user in or consent in the user's browser.
        # A site on another port of this host can set our cookie, and then knows the secret, too.
        is_forged = is_from_another_origin(self.request, accepts_opaque=True)
        if is_forged or not hmac.compare_digest(self.parameters.get("csrf", "").encode(), session.csrf.encode()):
            raise OAuthError(ErrorCase.PAGE_OUTDATED)


class RequestPage(PageHandler):
    """A page of one pending authorization request."""

    def interaction(self, session: Session) -> tuple[str, PendingInteraction]:
        """Return the name and the state of the request that the page belongs to.

        Raises:
            OAuthError: The session has no pending request of that name.
        """
        name = self.parameters.get("request", "")
        interaction = session.get(name)
        if interaction is None:
            raise OAuthError(ErrorCase.PAGE_OUTDATED)
        return name, interaction

    def hidden_fields(self, session: Session) -> dict[str, str]:
        """Return the hidden fields of every form, the name of the request included."""
        return {**super().hidden_fields(session), "request": self.parameters.get("request", "")}


class SignInHandler(RequestPage):
    """Sign in with user name and password, or as one of the listed users."""

    def render_page(self, session: Session, problem: str = "") -> Reply:
        """Return the sign-in page."""
        _, interaction = self.interaction(session)
        target = interaction.request.target
        return self.sign_in_page(
            session,
            target.client.name,
            interaction.request.login_hint,
            problem=problem,
            may_cancel=True,
            form_action=form_action_sources(target.redirect_uri),
        )

    def submit(self, session: Session) -> Reply:
        """Sign the user in and return the next step, or the page again with the problem."""
        name, interaction = self.interaction(session)
        state = self.state
        if "cancel" in self.parameters:
            return deny(state, session, name, interaction)
        user = user_of(state.registry, self.parameters)
        if user is None:
            return self.render_page(session, WRONG_PASSWORD)
        session.sign_in(user.login, self.now, interaction.request.acr_values)
        interaction.has_signed_in = True
        return next_step(state, session, name, interaction)


class ConsentHandler(RequestPage):
    """Let the user allow or deny the scopes that a client requested."""

    def interaction(self, session: Session) -> tuple[str, PendingInteraction]:
        """Return the name and the state of the request that the page belongs to.

        Raises:
            OAuthError: The session has no pending request of that name, or no user is signed in.
        """
        if session.login is None:
            raise OAuthError(ErrorCase.PAGE_OUTDATED)
        return super().interaction(session)

    def render_page(self, session: Session) -> Reply:
        """Return the consent page."""
        _, interaction = self.interaction(session)
        target = interaction.request.target
        form_action = form_action_sources(target.redirect_uri)
        return self.consent_page(session, target.client.name, interaction.request.scopes, form_action=form_action)

    def submit(self, session: Session) -> Reply:
        """Return the next step after the consent, or the error response if the user denied it."""
        name, interaction = self.interaction(session)
        if self.parameters.get("decision") != "allow":
            return deny(self.state, session, name, interaction)
        session.consent(interaction.request.target.client.id, interaction.request.scopes)
        interaction.has_consented = True
        return next_step(self.state, session, name, interaction)
