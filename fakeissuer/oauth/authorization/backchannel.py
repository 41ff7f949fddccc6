"""Pending backchannel authentication requests (OpenID Connect Client-Initiated Backchannel Authentication 1.0)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.claims import Grant
from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import CIBA
from fakeissuer.model.identifiers import random_text
from fakeissuer.model.servers import Server
from fakeissuer.oauth.issue import new_grant
from fakeissuer.oauth.scopes import scopes_with_user
from fakeissuer.state.pending import BACKCHANNEL_LIFETIME_S, RETENTION_S, BackchannelAuthentication
from fakeissuer.state.state import IssuerState

_SHORT_TEXT = re.compile(r"[\w .,:;!?+/@#-]{0,50}")
"""A short plain text without markup, for a small screen (CIBA section 7.1)."""
_SECONDS = re.compile(r"[0-9]{1,3}")


def begin(
    state: IssuerState, server: Server, issuer: str, client: Client, form: Mapping[str, str]
) -> tuple[str, BackchannelAuthentication]:
    """Store an authentication request, and return it with its ``auth_req_id``.

    Raises:
        OAuthError: The user is not registered, ``openid`` is not requested, or a parameter is malformed.
    """
    scopes = scopes_with_user(server, form.get("scope", ""))
    if "openid" not in scopes:
        raise OAuthError(ErrorCase.OPENID_MISSING)
    if not _SHORT_TEXT.fullmatch(form.get("binding_message", "")):
        raise OAuthError(ErrorCase.BINDING_MESSAGE)
    now, auth_req_id = state.clock.now(), random_text()
    authentication = BackchannelAuthentication(
        server=server.id,
        issuer=issuer,
        client_id=client.id,
        scopes=scopes,
        expires_at=now + _lifetime_s(form.get("requested_expiry")),
        name=random_text(),
        login=_login_of_hint(state, server, form),
        binding_message=form.get("binding_message", ""),
    )
    if state.auto_login == authentication.login:
        resolve(state, [authentication], is_allowed=True)
    state.backchannel.put(auth_req_id, authentication, expires_at=now + RETENTION_S)
    return auth_req_id, authentication


def pending_for(state: IssuerState, login: str | None = None) -> list[BackchannelAuthentication]:
    """Return the pending requests of a user, or of all users if ``login`` is None, oldest first."""
    now = state.clock.now()
    return [
        authentication
        for authentication in state.backchannel.all(now)
        if authentication.decision == "pending"
        and now < authentication.expires_at
        and login in (None, authentication.login)
    ]


def resolve(state: IssuerState, pending: Sequence[BackchannelAuthentication], *, is_allowed: bool) -> None:
    """Approve or deny requests; those of a removed client or server are denied.

    Raises:
        OAuthError: The access policy does not allow one of them; all stay pending then.
    """
    grants = [_grant(state, authentication) if is_allowed else None for authentication in pending]
    for authentication, grant in zip(pending, grants, strict=True):
        authentication.grant = grant
        authentication.decision = "denied" if grant is None else "approved"


def _grant(state: IssuerState, authentication: BackchannelAuthentication) -> Grant | None:
    server, client = (
        state.registry.servers.get(authentication.server),
        state.registry.clients.get(authentication.client_id),
    )
    if server is None or client is None:
        return None
    user, now = state.registry.user(authentication.login), state.clock.now()
    return new_grant(server, authentication.issuer, client, CIBA, authentication.scopes, user, now=now)


def _login_of_hint(state: IssuerState, server: Server, form: Mapping[str, str]) -> str:
    login_hint, id_token_hint = form.get("login_hint"), form.get("id_token_hint")
    if (login_hint is None) == (id_token_hint is None):
        raise OAuthError(ErrorCase.HINT_MISSING)
    login = login_hint
    if id_token_hint is not None:
        issued = state.store.find(id_token_hint)
        login = issued.username if issued is not None and (issued.kind, issued.server) == ("id", server.id) else None
    if login is None or login not in state.registry.users:
        raise OAuthError(ErrorCase.USER_UNKNOWN)
    return login


def _lifetime_s(text: str | None) -> int:
    if text is None:
        return BACKCHANNEL_LIFETIME_S
    if not _SECONDS.fullmatch(text) or not 1 <= int(text) <= BACKCHANNEL_LIFETIME_S:
        raise OAuthError(ErrorCase.EXPIRY_MALFORMED)
    return int(text)
