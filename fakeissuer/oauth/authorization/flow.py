"""The steps of an authorization request: sign-in, consent, and the authorization response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.claims import Grant
from fakeissuer.model.identifiers import random_text
from fakeissuer.model.users import User
from fakeissuer.oauth.authorization.request import AuthorizationRequest, check_still_registered
from fakeissuer.oauth.authorization.response import NO_STORE_HEADERS, deliver, error_response
from fakeissuer.oauth.issue import issue_access_token, issue_id_token, new_grant
from fakeissuer.responses.reply import Reply
from fakeissuer.state.pending import CODE_LIFETIME_S, RETENTION_S, AuthorizationCode
from fakeissuer.state.sessions import Session
from fakeissuer.state.state import IssuerState

SIGN_IN, CONSENT = "/signin", "/consent"


@dataclass(kw_only=True)
class PendingInteraction:
    """A pending authorization request, and the steps that its user has completed."""

    request: AuthorizationRequest
    has_signed_in: bool = False
    has_consented: bool = False


def begin(state: IssuerState, session: Session, request: AuthorizationRequest) -> Reply:
    """Store a request in the session of the browser, and return its first step."""
    name, interaction = random_text(), PendingInteraction(request=request)
    login = state.session_tokens.pop(request.session_token, state.clock.now())
    if login is not None:
        session.sign_in(login, state.clock.now(), request.acr_values)
        interaction.has_signed_in = True
    session.add_interaction(name, interaction)
    return next_step(state, session, name, interaction)


def next_step(state: IssuerState, session: Session, name: str, interaction: PendingInteraction) -> Reply:
    """Return a redirect to the next page, or the authorization response to the client, an error response included.

    Raises:
        OAuthError: The client must not get a response, see ``_finish``.
    """
    target = interaction.request.target
    try:
        path = _next_page(state, session, interaction)
    except OAuthError as error:
        return _send_error(state, session, name, interaction, error)
    if path is not None:
        return Reply(302, headers={"Location": f"{path}?{urlencode({'request': name})}", **NO_STORE_HEADERS})
    _finish(state, session, name, interaction.request)
    try:
        return deliver(state, target, _issue_response(state, session, interaction.request))
    except OAuthError as error:
        return error_response(state, target, error)


def _next_page(state: IssuerState, session: Session, interaction: PendingInteraction) -> str | None:
    request = interaction.request
    is_silent = "none" in request.prompt
    if _needs_sign_in(state, session, interaction):
        if is_silent:
            raise OAuthError(ErrorCase.LOGIN_REQUIRED)
        if state.auto_login is None:
            return SIGN_IN
        session.sign_in(state.auto_login, state.clock.now(), request.acr_values)
    if state.auto_login is None and _needs_consent(session, interaction):
        if is_silent:
            raise OAuthError(ErrorCase.CONSENT_REQUIRED)
        return CONSENT
    return None


def deny(state: IssuerState, session: Session, name: str, interaction: PendingInteraction) -> Reply:
    """Return the error response for a user who denied the request; raise as ``next_step`` does."""
    return _send_error(state, session, name, interaction, OAuthError(ErrorCase.USER_DENIED))


def _send_error(
    state: IssuerState, session: Session, name: str, interaction: PendingInteraction, error: OAuthError
) -> Reply:
    _finish(state, session, name, interaction.request)
    return error_response(state, interaction.request.target, error)


def _finish(state: IssuerState, session: Session, name: str, request: AuthorizationRequest) -> None:
    """Remove a pending request, and use up its ``request_uri``, for success and error responses alike.

    Raises:
        OAuthError: The client must not get a response: it was removed, or got a response through another tab.
    """
    session.remove_interaction(name)
    pushed = request.request_uri
    if pushed is not None and state.pushed.pop(pushed, state.clock.now()) is None:
        raise OAuthError(ErrorCase.REQUEST_URI_UNKNOWN)
    check_still_registered(state, request)


def _needs_sign_in(state: IssuerState, session: Session, interaction: PendingInteraction) -> bool:
    request, now = interaction.request, state.clock.now()
    if interaction.has_signed_in:
        return False
    if session.login is None or session.is_expired(now) or request.requires_sign_in:
        return True
    if request.max_age_s is not None and now - session.authenticated_at > request.max_age_s:
        return True
    if request.acr_values and session.acr not in request.acr_values:
        return True
    return request.login_hint not in ("", session.login)


def _needs_consent(session: Session, interaction: PendingInteraction) -> bool:
    request = interaction.request
    if interaction.has_consented:
        return False
    if "consent" in request.prompt:
        return True
    client = request.target.client
    return client.consent_method == "REQUIRED" and not session.has_consented(client.id, request.scopes)


def _issue_response(state: IssuerState, session: Session, request: AuthorizationRequest) -> Mapping[str, str]:
    target = request.target
    user = state.registry.user(session.login or "")
    grant = new_grant(
        request.server,
        target.issuer,
        target.client,
        request.grant_type,
        request.scopes,
        user,
        now=state.clock.now(),
        authenticated_at=int(session.authenticated_at),
        amr=session.amr,
        acr=session.acr if request.acr_values else None,
        nonce=request.nonce,
    )
    members = _issue_members(state, grant, user, request)
    return members if target.state is None else {**members, "state": target.state}


def _issue_members(state: IssuerState, grant: Grant, user: User, request: AuthorizationRequest) -> dict[str, str]:
    response_types = request.target.response_types
    members: dict[str, str] = {}
    token = issue_access_token(state, grant) if "token" in response_types else None
    if "code" in response_types:
        members["code"] = random_text()
        now = state.clock.now()
        code = AuthorizationCode(
            # Only the code is bound: the tokens of this response are sent without a proof.
            grant=replace(grant, key_thumbprint=request.key_thumbprint),
            redirect_uri=request.target.redirect_uri,
            challenge=request.challenge,
            expires_at=now + CODE_LIFETIME_S,
        )
        # Stored beyond its lifetime, so that a second use is still recognized and revokes the tokens.
        state.codes.put(members["code"], code, expires_at=now + RETENTION_S)
    if "id_token" in response_types:
        members["id_token"] = issue_id_token(state, grant, user, token, members.get("code"))
    if token is not None:
        members |= {"access_token": token, "token_type": "Bearer", "expires_in": str(grant.lifetime_s)}
        members["scope"] = " ".join(grant.scopes)
    return members
