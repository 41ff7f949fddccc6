"""Single sign-on between the apps of a device (OpenID Connect Native SSO for Mobile Apps 1.0 section 4)."""

from __future__ import annotations

import hmac

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.claims import left_half_hash
from fakeissuer.model.grant_types import TOKEN_EXCHANGE
from fakeissuer.model.identifiers import new_grant_id
from fakeissuer.oauth.issue import ACCESS_TOKEN_TYPE, TokenRequest, TokenResponse, user_token_response
from fakeissuer.oauth.scopes import scopes_with_user
from fakeissuer.state.token_store import IssuedToken

DEVICE_SECRET_TYPE = "urn:x-oath:params:oauth:token-type:device-secret"  # noqa: S105  # the name of a type
_ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105  # as above


def device_sso(request: TokenRequest) -> TokenResponse:
    """Return tokens of the calling client for the user of an ID token that belongs to the device secret.

    Raises:
        OAuthError: ID token or device secret is invalid, the two do not match, or the audience is not the issuer.
    """
    form = request.form
    if form.get("subject_token_type") != _ID_TOKEN_TYPE:
        raise OAuthError(ErrorCase.EXCHANGE_INVALID, "beside a device secret the subject_token is an ID token")
    if form.get("audience") != request.issuer:
        raise OAuthError(ErrorCase.EXCHANGE_TARGET)
    scopes = scopes_with_user(request.server, form.get("scope", ""))
    subject = _subject(request, form.get("subject_token", ""), form.get("actor_token", ""))
    user = request.state.registry.user(subject.username or "")
    grant = request.grant(TOKEN_EXCHANGE, scopes, user, grant_id=new_grant_id(subject.grant_id))
    response = user_token_response(request.state, request.client, grant)
    return {**response, "issued_token_type": ACCESS_TOKEN_TYPE}


def _subject(request: TokenRequest, id_token: str, device_secret: str) -> IssuedToken:
    state = request.state
    subject, device = state.store.find(id_token), state.store.find(device_secret)
    if subject is None or subject.kind != "id" or subject.server != request.server.id or subject.revoked:
        raise OAuthError(ErrorCase.SUBJECT_TOKEN)
    if device is None or device.kind != "device_secret" or not device.is_active(request.now):
        raise OAuthError(ErrorCase.DEVICE_SECRET)
    # ID tokens are not secret: an attacker could combine a stolen one with the secret of another device.
    if not hmac.compare_digest(f"{subject.claims.get('ds_hash')}".encode(), left_half_hash(device_secret).encode()):
        raise OAuthError(ErrorCase.DEVICE_SECRET)
    return subject
