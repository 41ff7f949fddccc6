"""Browser sessions, so that one sign-in is valid for all clients."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from fakeissuer.model.identifiers import random_text
from fakeissuer.state.expiring_store import ExpiringStore

LIFETIME_S = 7200
"""The lifetime of a sign-in in seconds."""

_RETENTION_S = 86_400
MAX_PENDING = 20

_TWO_FACTORS = ("mfa", "otp", "pwd")


class Session:
    """One browser: the signed-in user if any, their consents, and their pending interactions."""

    def __init__(self) -> None:
        self.cookie = random_text()
        self.csrf = random_text()
        self.login: str | None = None
        self.authenticated_at = 0.0
        self.amr: tuple[str, ...] = ("pwd",)
        self.acr: str | None = None
        self._consents: dict[str, set[str]] = {}
        self._interactions: OrderedDict[str, Any] = OrderedDict()

    def sign_in(self, login: str, now: float, acr_values: Iterable[str] = ()) -> None:
        """Sign in a user, and replace the cookie and the CSRF token against session fixation."""
        if self.login != login:
            self._consents.clear()
        self.cookie, self.csrf = random_text(), random_text()
        self.login, self.authenticated_at = login, now
        self.acr = next(iter(acr_values), None)
        self.amr = _TWO_FACTORS if self.acr is not None and ":2fa:" in self.acr else ("pwd",)

    def sign_out(self) -> None:
        """Remove the user, their consents and their pending interactions."""
        self.login, self.acr = None, None
        self._consents.clear()
        self._interactions.clear()

    def is_expired(self, now: float) -> bool:
        """Return whether the sign-in has expired."""
        return now >= self.authenticated_at + LIFETIME_S

    def consent(self, client_id: str, scopes: Iterable[str]) -> None:
        """Store the user's consent to scopes of a client."""
        self._consents.setdefault(client_id, set()).update(scopes)

    def has_consented(self, client_id: str, scopes: Iterable[str]) -> bool:
        """Return whether the user has consented to all these scopes."""
        return set(scopes) <= self._consents.get(client_id, set())

    def add_interaction(self, name: str, interaction: Any) -> None:
        """Add a pending interaction; above the maximum the oldest is removed."""
        self._interactions[name] = interaction
        if len(self._interactions) > MAX_PENDING:
            self._interactions.popitem(last=False)

    def get(self, name: str) -> Any:
        """Return the pending interaction of that name, or None."""
        return self._interactions.get(name)

    def remove_interaction(self, name: str) -> None:
        """Remove a pending interaction, if it exists."""
        self._interactions.pop(name, None)


class Sessions:
    """All sessions by cookie."""

    def __init__(self) -> None:
        self._sessions: ExpiringStore[Session] = ExpiringStore()

    def get_or_create(self, cookie: str | None, now: float) -> Session:
        """Return the session of a cookie, or a new one."""
        session = None if cookie is None else self._sessions.get(cookie, now)
        return Session() if session is None else session

    def save(self, session: Session, old_cookie: str | None, now: float) -> None:
        """Store a session under its cookie; a replaced cookie becomes invalid."""
        if old_cookie is not None and old_cookie != session.cookie:
            self._sessions.delete(old_cookie)
        self._sessions.put(session.cookie, session, expires_at=now + _RETENTION_S)

    def clear(self) -> None:
        """Remove all sessions."""
        self._sessions.clear()

    def end(self, login: str, now: float) -> None:
        """Sign a user out of all sessions."""
        for session in self._sessions.all(now):
            if session.login == login:
                session.sign_out()
