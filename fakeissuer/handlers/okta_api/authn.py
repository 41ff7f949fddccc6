"""``/api/v1/authn``: exchange user name and password for a session token, which replaces the sign-in page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from msgspec import Meta

from fakeissuer.errors import InvalidRequestError, OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.handlers.base.handler import OktaHandler
from fakeissuer.model.identifiers import random_text
from fakeissuer.model.records import Record, read_members, to_record
from fakeissuer.responses.reply import Reply, json_reply
from fakeissuer.state.clock import MAX_TIMESTAMP_S

_LIFETIME_S = 300


class Primary(Record, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """User name and password; other members are ignored, because further factors are not imitated."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"password"})

    username: Annotated[str, Meta(min_length=1, max_length=200)]
    password: str


class AuthnHandler(OktaHandler):
    """Authenticate a user without a page."""

    async def post(self) -> None:
        """Return a session token, which an authorization request uses once as ``sessionToken``."""
        self.send_result(self._respond)

    def _respond(self) -> Reply:
        state = self.state
        try:
            primary: Primary = to_record(read_members(self.request.body), Primary)
        except InvalidRequestError as exc:
            raise OAuthError(ErrorCase.BODY_UNREADABLE) from exc
        user = state.registry.users.get(primary.username)
        if user is None or not user.has_password(primary.password):
            raise OAuthError(ErrorCase.LOGIN_FAILED)
        token, expires_at = random_text(), self.now + _LIFETIME_S
        state.session_tokens.put(token, user.login, expires_at=expires_at)
        expires = datetime.fromtimestamp(min(expires_at, MAX_TIMESTAMP_S), UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        profile = {"login": user.login, "firstName": user.given_name, "lastName": user.family_name}
        members = {"expiresAt": expires, "status": "SUCCESS", "sessionToken": token}
        return json_reply({**members, "_embedded": {"user": {"id": user.id, "profile": profile}}})
