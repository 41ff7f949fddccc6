"""The refresh token grant (RFC 6749 section 6) with rotation (RFC 9700 section 4.14.2)."""

from __future__ import annotations

from dataclasses import replace

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.claims import Grant, refresh_lifetime_s
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, issue_refresh_token, token_response
from fakeissuer.oauth.scopes import scope_tokens
from fakeissuer.state.token_store import IssuedToken


def refresh_token(request: TokenRequest) -> TokenResponse:
    """Return new tokens for a refresh token, and a new refresh token if those of the client rotate.

    Raises:
        OAuthError: The token is not an active refresh token of the client, or its scopes are no longer allowed. A token
            that was rotated before the leeway has been stolen: all tokens of its grant are revoked then.
    """
    state, now = request.state, request.now
    token = request.form.get("refresh_token", "")
    issued = state.store.find(token)
    if issued is None or issued.kind != "refresh" or issued.grant is None or not _is_own(issued, request):
        raise OAuthError(ErrorCase.REFRESH_TOKEN_INVALID)
    # Before the expiry check: a thief could otherwise wait until the stolen token has expired.
    if issued.rotated_at is not None and now >= issued.rotated_at + request.client.rotation_leeway:
        state.store.revoke_grant(issued.grant_id or "")
        raise OAuthError(ErrorCase.REFRESH_TOKEN_INVALID)
    if not issued.is_active(now):
        raise OAuthError(ErrorCase.REFRESH_TOKEN_INVALID)
    grant = _renew(issued.grant, request)
    # At the org server the expiry is fixed at sign-in; at other servers each use extends it.
    expires_at = issued.claims["exp"] if request.server.is_org else int(now) + refresh_lifetime_s(grant)
    if not request.client.rotates:
        issued.claims["exp"] = expires_at
        return token_response(state, grant, token)
    if issued.rotated_at is None:
        issued.rotated_at = now
    return token_response(state, grant, issue_refresh_token(state, replace(grant, scopes=issued.scopes), expires_at))


def _is_own(issued: IssuedToken, request: TokenRequest) -> bool:
    return issued.client_id == request.client.id and issued.server == request.server.id


def _renew(grant: Grant, request: TokenRequest) -> Grant:
    requested = scope_tokens(request.form.get("scope", "")) or grant.scopes
    if not set(requested) <= set(grant.scopes):
        raise OAuthError(ErrorCase.REFRESH_WIDENED)
    return request.renew(grant, requested)  # without the nonce, which belongs only to the first ID token
