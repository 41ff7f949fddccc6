"""A refresh token for new tokens (RFC 6749 section 6), used once where it rotates (RFC 9700 section 4.14.2)."""

from __future__ import annotations

from dataclasses import replace

from fakeissuer.errors import Refused
from fakeissuer.errors.error_responses import Problem
from fakeissuer.model.claims import Grant, refresh_lifetime_s
from fakeissuer.oauth.issue import TokenAnswer, TokenRequest, issue_refresh_token, token_answer
from fakeissuer.oauth.scopes import scope_tokens
from fakeissuer.state.token_store import IssuedToken


def refresh_token(request: TokenRequest) -> TokenAnswer:
    """Return new tokens for a refresh token, and another one in its place where the client rotates them.

    Raises:
        Refused: it is no active refresh token of the client; one that was rotated too long ago takes its whole family
            with it, for two parties have it then and one of them is a thief. Or the client may not have its scopes.
    """
    state, now = request.state, request.state.clock.now()
    token = request.form.get("refresh_token", "")
    issued = state.store.find(token)
    if issued is None or issued.kind != "refresh" or issued.grant is None or not _is_own(issued, request):
        raise Refused(Problem.REFRESH_TOKEN_INVALID)
    # Before its age is looked at: a thief who waits until it has expired has stolen it all the same.
    if issued.rotated_at is not None and now >= issued.rotated_at + request.client.rotation_leeway:
        state.store.revoke_grant(issued.grant_id or "")
        raise Refused(Problem.REFRESH_TOKEN_INVALID)
    if not issued.is_active(now):
        raise Refused(Problem.REFRESH_TOKEN_INVALID)
    grant = _renewed(issued.grant, request)
    # At the org the end was set when the user signed in; elsewhere each use puts it off.
    expires_at = issued.claims["exp"] if request.server.is_org else int(now) + refresh_lifetime_s(grant)
    if not request.client.rotates:
        issued.claims["exp"] = expires_at
        return token_answer(state, grant, token)
    if issued.rotated_at is None:
        issued.rotated_at = now
    return token_answer(state, grant, issue_refresh_token(state, replace(grant, scopes=issued.scopes), expires_at))


def _is_own(issued: IssuedToken, request: TokenRequest) -> bool:
    return issued.client_id == request.client.id and issued.server == request.server.id


def _renewed(grant: Grant, request: TokenRequest) -> Grant:
    asked = scope_tokens(request.form.get("scope", "")) or grant.scopes
    if not set(asked) <= set(grant.scopes):
        raise Refused(Problem.REFRESH_WIDENED)
    return request.renewed(grant, asked)  # without its nonce, which belongs to the first ID token alone
