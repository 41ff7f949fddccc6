"""A user's verdict on a client that named them (OpenID Connect Client-Initiated Backchannel Authentication 1.0)."""

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
"""What a small screen can show, and nobody takes for a page or a command (CIBA section 7.1)."""
SECONDS = re.compile(r"[0-9]{1,3}")


def begin(
    state: IssuerState, server: Server, issuer: str, client: Client, form: Mapping[str, str]
) -> tuple[str, BackchannelAuthentication]:
    """Return the ``auth_req_id`` under which a client may ask from now on, and what it waits for.

    Raises:
        OAuthError: no registered user is named, ``openid`` is not asked for, or a parameter is malformed.
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
        login=_hinted_user(state, server, form),
        binding_message=form.get("binding_message", ""),
    )
    if state.auto_login == authentication.login:
        resolve(state, [authentication], is_allowed=True)
    state.backchannel.put(auth_req_id, authentication, expires_at=now + RETENTION_S)
    return auth_req_id, authentication


def pending_for(state: IssuerState, login: str | None = None) -> list[BackchannelAuthentication]:
    """Return what waits for a user, or for anybody, the oldest first."""
    now = state.clock.now()
    return [
        authentication
        for authentication in state.backchannel.all(now)
        if authentication.decision == "pending"
        and now < authentication.expires_at
        and login in (None, authentication.login)
    ]


def resolve(state: IssuerState, pending: Sequence[BackchannelAuthentication], *, is_allowed: bool) -> None:
    """Let clients have their tokens, or not; one that is gone by now gets none.

    Raises:
        OAuthError: the access policy does not allow one of them; all go on waiting then.
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


def _hinted_user(state: IssuerState, server: Server, form: Mapping[str, str]) -> str:
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
    if not SECONDS.fullmatch(text) or not 1 <= int(text) <= BACKCHANNEL_LIFETIME_S:
        raise OAuthError(ErrorCase.EXPIRY_MALFORMED)
    return int(text)
