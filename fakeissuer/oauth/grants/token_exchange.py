"""The token exchange grant: a service acts for the user who called it (RFC 8693 section 2)."""

from __future__ import annotations

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.grant_types import TOKEN_EXCHANGE
from fakeissuer.model.identifiers import new_grant_id
from fakeissuer.oauth.grants.device_sso import DEVICE_SECRET_TYPE, device_sso
from fakeissuer.oauth.issue import ACCESS_TOKEN_TYPE, TokenRequest, TokenResponse, token_response
from fakeissuer.oauth.scopes import scopes_with_user
from fakeissuer.state.token_store import IssuedToken


def token_exchange(request: TokenRequest) -> TokenResponse:
    """Return an access token of the calling client for the user of another access token.

    Raises:
        OAuthError: A parameter is missing or has another type, the audience is not that of the server, or the token is
            not active, has no user, or comes from a server that is not trusted.
    """
    form = request.form
    if form.get("actor_token_type") == DEVICE_SECRET_TYPE:
        return device_sso(request)
    if not form.get("subject_token") or form.get("subject_token_type") != ACCESS_TOKEN_TYPE:
        raise OAuthError(
            ErrorCase.EXCHANGE_INVALID, "subject_token or its subject_token_type is missing or of another type"
        )
    if form.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise OAuthError(ErrorCase.EXCHANGE_INVALID, "the requested_token_type is not one that is issued")
    if form.get("audience") != request.server.audience:
        raise OAuthError(ErrorCase.EXCHANGE_TARGET)
    scopes = scopes_with_user(request.server, form.get("scope", ""))
    if {"openid", "offline_access"} & set(scopes):
        raise OAuthError(ErrorCase.EXCHANGE_INVALID, "its scopes may be neither openid nor offline_access")
    subject = _subject(request, form["subject_token"])
    user = request.state.registry.user(subject.username or "")
    grant = request.grant(TOKEN_EXCHANGE, scopes, user, grant_id=new_grant_id(subject.grant_id))
    response = token_response(request.state, grant)
    return {**response, "issued_token_type": ACCESS_TOKEN_TYPE}


def _subject(request: TokenRequest, token: str) -> IssuedToken:
    issued = request.state.store.find(token)
    if issued is None or issued.kind != "access" or issued.username is None:
        raise OAuthError(ErrorCase.SUBJECT_TOKEN)
    if not issued.is_active(request.now) or not _is_trusted(request, issued):
        raise OAuthError(ErrorCase.SUBJECT_TOKEN)
    return issued


def _is_trusted(request: TokenRequest, issued: IssuedToken) -> bool:
    # Otherwise a client could exchange a token of one server for a token of every other server.
    issuer = issued.claims.get("iss")
    if issued.server == request.server.id:
        return bool(issuer == request.issuer)
    state, other = request.state, request.state.registry.servers.get(issued.server)
    return other is not None and issuer == state.urls.issuer(other) and issuer in request.server.trusted_issuers
