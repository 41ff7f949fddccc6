"""The pages that an authorization request leads through: signing in and consenting."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.handlers.base.parameters import form_arguments, once
from fakeissuer.handlers.pages.base import BrowserMixin
from fakeissuer.model.redirect_uris import schemes_towards
from fakeissuer.oauth.authorization.flow import Waiting, deny, next_step
from fakeissuer.oauth.authorization.sign_in import user_of
from fakeissuer.responses.pages import page
from fakeissuer.responses.reply import Reply

if TYPE_CHECKING:
    from fakeissuer.state.sessions import Session

WRONG_PASSWORD = "The user name or the password is wrong."  # noqa: S105 - a sentence


class PageHandler(BrowserMixin):
    """A page with a form that leads back to it."""

    async def get(self) -> None:
        """Show the page."""
        self._answer(is_sent=False)

    async def post(self) -> None:
        """Take what the person did."""
        self._answer(is_sent=True)

    def show(self, session: Session) -> Reply:
        """Return the page."""
        raise NotImplementedError

    def act(self, session: Session) -> Reply:
        """Return what follows from the form that was sent."""
        raise NotImplementedError

    @property
    def parameters(self) -> dict[str, str]:
        """What the URL or the form says."""
        if self.request.method != "POST":
            return once(self.request.query_arguments)
        return once(form_arguments(self.request) or {})

    def hidden(self, session: Session) -> dict[str, str]:
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
            users=list(self.state.directory.users.values()),
            login_hint=self.parameters.get("username", login_hint),
            problem=problem,
            **{"hidden": self.hidden(session), **values},
        )

    def consent_page(self, session: Session, client_name: str, scopes: Iterable[str], **values: Any) -> Reply:
        """Return the page that asks whether the client may have these scopes; a `binding_message` is shown with it."""
        return page(
            "consent",
            action=self.request.path,
            client_name=client_name,
            login=session.login,
            scopes=scopes,
            **{"hidden": self.hidden(session), "binding_message": "", **values},
        )

    def _answer(self, *, is_sent: bool) -> None:
        session = self.session()
        try:
            if is_sent:
                self._check_csrf(session)
            reply = self.act(session) if is_sent else self.show(session)
        except Refused as refused:
            reply = self.error_page(refused)
        self.send(self.with_session(session, reply))

    def _check_csrf(self, session: Session) -> None:
        # A form on somebody else's page would otherwise sign a user in, or consent, in their own browser.
        if not hmac.compare_digest(self.parameters.get("csrf", "").encode(), session.csrf.encode()):
            raise Refused(Problem.PAGE_OUTDATED)


class RequestPage(PageHandler):
    """A page about an authorization request that waits."""

    def waiting(self, session: Session) -> tuple[str, Waiting]:
        """Return the request that the page is about.

        Raises:
            Refused: this browser has none of that name.
        """
        name = self.parameters.get("request", "")
        waiting = session.find(name)
        if waiting is None:
            raise Refused(Problem.PAGE_OUTDATED)
        return name, waiting

    def hidden(self, session: Session) -> dict[str, str]:
        """Return what each form takes along."""
        return {**super().hidden(session), "request": self.parameters.get("request", "")}


class SignInHandler(RequestPage):
    """Signing in: by a name that is typed, or as one of the users there are."""

    def show(self, session: Session, problem: str = "") -> Reply:
        """Return the page."""
        _, waiting = self.waiting(session)
        target = waiting.request.target
        return self.sign_in_page(
            session,
            target.client.name,
            waiting.request.login_hint,
            problem=problem,
            may_cancel=True,
            form_action=schemes_towards(target.redirect_uri),
        )

    def act(self, session: Session) -> Reply:
        """Sign the user in and go on, or say that it did not work."""
        name, waiting = self.waiting(session)
        state = self.state
        if "cancel" in self.parameters:
            return deny(state, session, name, waiting)
        user = user_of(state.directory, self.parameters)
        if user is None:
            return self.show(session, WRONG_PASSWORD)
        session.sign_in(user.login, state.clock.now(), waiting.request.acr_values)
        waiting.has_signed_in = True
        return next_step(state, session, name, waiting)


class ConsentHandler(RequestPage):
    """Allowing a client what it asks for, or not."""

    def waiting(self, session: Session) -> tuple[str, Waiting]:
        """Return the request that the page is about.

        Raises:
            Refused: this browser has none of that name, or nobody has signed in who could allow anything.
        """
        if session.login is None:
            raise Refused(Problem.PAGE_OUTDATED)
        return super().waiting(session)

    def show(self, session: Session) -> Reply:
        """Return the page."""
        _, waiting = self.waiting(session)
        target = waiting.request.target
        form_action = schemes_towards(target.redirect_uri)
        return self.consent_page(session, target.client.name, waiting.request.scopes, form_action=form_action)

    def act(self, session: Session) -> Reply:
        """Go on with what the user allowed, or tell the client no."""
        name, waiting = self.waiting(session)
        if self.parameters.get("verdict") != "allow":
            return deny(self.state, session, name, waiting)
        session.consent(waiting.request.target.client.id, waiting.request.scopes)
        waiting.has_consented = True
        return next_step(self.state, session, name, waiting)
