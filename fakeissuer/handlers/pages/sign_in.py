"""The pages that an authorization request leads through: signing in and consenting."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.parameters import form_arguments, single_values
from fakeissuer.handlers.pages.base import BrowserMixin
from fakeissuer.model.redirect_uris import form_action_sources
from fakeissuer.oauth.authorization.flow import PendingInteraction, deny, next_step
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply

if TYPE_CHECKING:
    from fakeissuer.state.sessions import Session

WRONG_PASSWORD = "The user name or the password is wrong."  # noqa: S105  # a sentence


class PageHandler(BrowserMixin):
    """A page with a form that leads back to it."""

    async def get(self) -> None:
        """Show the page."""
        self._respond(is_sent=False)

    async def post(self) -> None:
        """Take what the person did."""
        self._respond(is_sent=True)

    def render_page(self, session: Session) -> Reply:
        """Return the page."""
        raise NotImplementedError

    def submit(self, session: Session) -> Reply:
        """Return what follows from the form that was sent."""
        raise NotImplementedError

    @property
    def parameters(self) -> dict[str, str]:
        """What the URL or the form says."""
        if self.request.method != "POST":
            return single_values(self.request.query_arguments)
        return single_values(form_arguments(self.request) or {})

    def hidden_fields(self, session: Session) -> dict[str, str]:
        """Return what each form takes along; the secret of the session keeps forms of other sites out."""
        return {"csrf": session.csrf}

    def sign_in_page(
        self, session: Session, client_name: str, login_hint: str, *, problem: str, **values: Any
    ) -> Reply:
        """Return the page that asks who it is."""
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
        """Return the consent page for these scopes, with the ``binding_message`` if there is one."""
        return page(
            "consent",
            action=self.request.path,
            client_name=client_name,
            login=session.login,
            scopes=scopes,
            **{"hidden": self.hidden_fields(session), "binding_message": "", **values},
        )

    def _respond(self, *, is_sent: bool) -> None:
        session = self.session()
        try:
            if is_sent:
                self._check_csrf(session)
            reply = self.submit(session) if is_sent else self.render_page(session)
        except OAuthError as error:
            reply = self.error_page(error)
        self.send(self.with_session(session, reply))

    def _check_csrf(self, session: Session) -> None:
        # A form on somebody else's page would otherwise sign a user in, or consent, in their own browser.
        if not hmac.compare_digest(self.parameters.get("csrf", "").encode(), session.csrf.encode()):
            raise OAuthError(ErrorCase.PAGE_OUTDATED)


class RequestPage(PageHandler):
    """A page about an authorization request that waits."""

    def interaction(self, session: Session) -> tuple[str, PendingInteraction]:
        """Return the request that the page is about.

        Raises:
            OAuthError: this browser has none of that name.
        """
        name = self.parameters.get("request", "")
        interaction = session.get(name)
        if interaction is None:
            raise OAuthError(ErrorCase.PAGE_OUTDATED)
        return name, interaction

    def hidden_fields(self, session: Session) -> dict[str, str]:
        """Return what each form takes along."""
        return {**super().hidden_fields(session), "request": self.parameters.get("request", "")}


class SignInHandler(RequestPage):
    """Signing in: by a name that is typed, or as one of the users there are."""

    def render_page(self, session: Session, problem: str = "") -> Reply:
        """Return the page."""
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
        """Sign the user in and go on, or say that it did not work."""
        name, interaction = self.interaction(session)
        state = self.state
        if "cancel" in self.parameters:
            return deny(state, session, name, interaction)
        user = user_of(state.registry, self.parameters)
        if user is None:
            return self.render_page(session, WRONG_PASSWORD)
        session.sign_in(user.login, state.clock.now(), interaction.request.acr_values)
        interaction.has_signed_in = True
        return next_step(state, session, name, interaction)


class ConsentHandler(RequestPage):
    """Allowing a client what it asks for, or not."""

    def interaction(self, session: Session) -> tuple[str, PendingInteraction]:
        """Return the request that the page is about.

        Raises:
            OAuthError: this browser has none of that name, or nobody has signed in who could allow anything.
        """
        if session.login is None:
            raise OAuthError(ErrorCase.PAGE_OUTDATED)
        return super().interaction(session)

    def render_page(self, session: Session) -> Reply:
        """Return the page."""
        _, interaction = self.interaction(session)
        target = interaction.request.target
        form_action = form_action_sources(target.redirect_uri)
        return self.consent_page(session, target.client.name, interaction.request.scopes, form_action=form_action)

    def submit(self, session: Session) -> Reply:
        """Go on with what the user allowed, or tell the client no."""
        name, interaction = self.interaction(session)
        if self.parameters.get("decision") != "allow":
            return deny(self.state, session, name, interaction)
        session.consent(interaction.request.target.client.id, interaction.request.scopes)
        interaction.has_consented = True
        return next_step(self.state, session, name, interaction)
