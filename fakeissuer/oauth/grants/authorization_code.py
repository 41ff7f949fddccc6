"""The authorization code grant (RFC 6749 section 4.1.3) with PKCE (RFC 7636 section 4.6)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import replace

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.raw_jws import base64url
from fakeissuer.oauth.issue import TokenRequest, TokenResponse, user_token_response
from fakeissuer.state.pending import AuthorizationCode

_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def authorization_code(request: TokenRequest) -> TokenResponse:
    """Exchange an authorization code for tokens.

    Raises:
        OAuthError: The code is unknown, expired, was used before, or was issued for another request. A code that was
            used before also revokes the tokens issued for it.
    """
    state = request.state
    code = state.codes.get(request.form.get("code", ""), request.now)
    if code is None:
        raise OAuthError(ErrorCase.CODE_INVALID)
    was_used, code.is_used = code.is_used, True
    # RFC 6749 section 4.1.2: a code that is used twice was stolen by one of the two senders. Every attempt uses it up,
    # and a second one revokes the tokens of the first.
    if was_used and code.grant.grant_id is not None:
        state.store.revoke_grant(code.grant.grant_id)
    if was_used or request.now >= code.expires_at:
        raise OAuthError(ErrorCase.CODE_INVALID)
    _check_request(code, request)
    _check_verifier(code, request)
    grant = request.renew(code.grant, code.grant.scopes)
    return user_token_response(state, request.client, replace(grant, nonce=code.grant.nonce))


def _check_request(code: AuthorizationCode, request: TokenRequest) -> None:
    if code.grant.client_id != request.client.id:
        raise OAuthError(ErrorCase.CODE_FOR_ANOTHER_CLIENT)
    if code.grant.server.id != request.server.id:
        raise OAuthError(ErrorCase.CODE_FOR_ANOTHER_SERVER)
    if code.redirect_uri != request.form.get("redirect_uri"):
        raise OAuthError(ErrorCase.CODE_FOR_ANOTHER_REDIRECT)


def _check_verifier(code: AuthorizationCode, request: TokenRequest) -> None:
    verifier = request.form.get("code_verifier")
    if verifier is None and request.client.is_public:
        raise OAuthError(ErrorCase.PKCE_REQUIRED)
    if code.challenge is None and verifier is None:
        return
    if code.challenge is None:
        raise OAuthError(ErrorCase.VERIFIER_UNEXPECTED)
    if verifier is None:
        raise OAuthError(ErrorCase.VERIFIER_MISSING)
    if not _VERIFIER.fullmatch(verifier) or not hmac.compare_digest(_s256_challenge(verifier), code.challenge):
        raise OAuthError(ErrorCase.VERIFIER_WRONG)


def _s256_challenge(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64url(hashlib.sha256(verifier.encode()).digest())
