"""Who sits at a browser: the session behind its cookie, so that one sign-in does for all clients."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from fakeissuer.model.identifiers import random_text
from fakeissuer.state.expiring_store import ExpiringStore

LIFETIME_S = 7200
"""How long a sign-in lasts."""

_RETENTION_S = 86_400
MAX_PENDING = 20

_TWO_FACTORS = ("mfa", "otp", "pwd")


class Session:
    """One browser: its user, once there is one, what they agreed to, and what waits for them."""

    def __init__(self) -> None:
        """Start without a user."""
        self.cookie = random_text()
        self.csrf = random_text()
        self.login: str | None = None
        self.authenticated_at = 0.0
        self.amr: tuple[str, ...] = ("pwd",)
        self.acr: str | None = None
        self._consents: dict[str, set[str]] = {}
        self._interactions: OrderedDict[str, Any] = OrderedDict()

    def sign_in(self, login: str, now: float, acr_values: Iterable[str] = ()) -> None:
        """Make this the session of a user, under another cookie: one that was planted is worth nothing then.

        Nor is the secret of the forms: whoever planted the session knows that one as well.
        """
        if self.login != login:
            self._consents.clear()
        self.cookie, self.csrf = random_text(), random_text()
        self.login, self.authenticated_at = login, now
        self.acr = next(iter(acr_values), None)
        self.amr = _TWO_FACTORS if self.acr is not None and ":2fa:" in self.acr else ("pwd",)

    def sign_out(self) -> None:
        """Forget the user and all that was under way."""
        self.login, self.acr = None, None
        self._consents.clear()
        self._interactions.clear()

    def is_expired(self, now: float) -> bool:
        """Tell whether the sign-in was too long ago."""
        return now >= self.authenticated_at + LIFETIME_S

    def consent(self, client_id: str, scopes: Iterable[str]) -> None:
        """Remember what the user allowed a client."""
        self._consents.setdefault(client_id, set()).update(scopes)

    def has_consented(self, client_id: str, scopes: Iterable[str]) -> bool:
        """Tell whether the user has allowed all of this already."""
        return set(scopes) <= self._consents.get(client_id, set())

    def add_interaction(self, name: str, interaction: Any) -> None:
        """Let something wait for the user; of too many the oldest is given up."""
        self._interactions[name] = interaction
        if len(self._interactions) > MAX_PENDING:
            self._interactions.popitem(last=False)

    def get(self, name: str) -> Any:
        """Return what waits under that name, None if nothing does."""
        return self._interactions.get(name)

    def remove_interaction(self, name: str) -> None:
        """Let it wait no longer."""
        self._interactions.pop(name, None)


class Sessions:
    """The sessions of all browsers, by their cookies."""

    def __init__(self) -> None:
        """Start without any."""
        self._sessions: ExpiringStore[Session] = ExpiringStore()

    def get_or_create(self, cookie: str | None, now: float) -> Session:
        """Return the session behind a cookie, or a new one."""
        session = None if cookie is None else self._sessions.get(cookie, now)
        return Session() if session is None else session

    def save(self, session: Session, old_cookie: str | None, now: float) -> None:
        """Keep a session under its cookie; the one that it came with counts no longer if it has changed."""
        if old_cookie is not None and old_cookie != session.cookie:
            self._sessions.delete(old_cookie)
        self._sessions.put(session.cookie, session, expires_at=now + _RETENTION_S)

    def clear(self) -> None:
        """Forget every session."""
        self._sessions.clear()

    def end(self, login: str, now: float) -> None:
        """Sign a user out everywhere."""
        for session in self._sessions.all(now):
            if session.login == login:
                session.sign_out()
