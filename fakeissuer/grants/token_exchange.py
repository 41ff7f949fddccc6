"""A service acts on behalf of the user who called it (RFC 8693 section 2)."""

from __future__ import annotations

from fakeissuer.entries import User
from fakeissuer.errors import Refused
from fakeissuer.grant_types import TOKEN_EXCHANGE
from fakeissuer.grants.device_sso import DEVICE_SECRET_TYPE, device_sso
from fakeissuer.grants.issue import ACCESS_TOKEN_TYPE, TokenAnswer, TokenRequest, token_answer
from fakeissuer.grants.scopes import scopes_with_user
from fakeissuer.problems import Problem


def token_exchange(request: TokenRequest) -> TokenAnswer:
    """Return an access token of the calling client for the user of another access token.

    Raises:
        Refused: something is missing or of another type, the token is not active, or the audience is not the server's.
    """
    form = request.form
    if form.get("actor_token_type") == DEVICE_SECRET_TYPE:
        return device_sso(request)
    if not form.get("subject_token") or form.get("subject_token_type") != ACCESS_TOKEN_TYPE:
        raise Refused(Problem.EXCHANGE_INVALID, "subject_token or its subject_token_type is missing or of another type")
    if form.get("requested_token_type", ACCESS_TOKEN_TYPE) != ACCESS_TOKEN_TYPE:
        raise Refused(Problem.EXCHANGE_INVALID, "the requested_token_type is not one that is issued")
    if form.get("audience") != request.server.audience:
        raise Refused(Problem.EXCHANGE_TARGET)
    scopes = scopes_with_user(request.server, form.get("scope", ""))
    if {"openid", "offline_access"} & set(scopes):
        raise Refused(Problem.EXCHANGE_INVALID, "its scopes may be neither openid nor offline_access")
    user = _subject(request, form["subject_token"])
    answer = token_answer(request.state, request.grant(TOKEN_EXCHANGE, scopes, user))
    return {**answer, "issued_token_type": ACCESS_TOKEN_TYPE}


def _subject(request: TokenRequest, token: str) -> User:
    state = request.state
    issued = state.store.find(token)
    if issued is None or issued.kind != "access" or issued.username is None:
        raise Refused(Problem.SUBJECT_TOKEN)
    if not issued.is_active(state.clock.now()):
        raise Refused(Problem.SUBJECT_TOKEN)
    return state.directory.user(issued.username)
