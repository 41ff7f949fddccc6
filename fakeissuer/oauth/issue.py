"""Issuing: the tokens that a grant gives, signed, remembered, and put into an answer in Okta's order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.jose.raw_jws import jose_header, to_payload
from fakeissuer.model.claim_templates import custom_claims
from fakeissuer.model.claims import (
    ID_TOKEN_LIFETIME_S,
    REFRESH_IDLE_LIFETIME_S,
    SIGNING_ALGORITHM,
    Claims,
    Grant,
    id_token_claims,
    refresh_lifetime_s,
)
from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import REFRESH_TOKEN
from fakeissuer.model.identifiers import new_grant_id, new_refresh_token_id, random_text
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.oauth.access_policy import matching_rule
from fakeissuer.oauth.scopes import check_known
from fakeissuer.state.state import IssuerState
from fakeissuer.state.token_store import IssuedToken, TokenKind

TokenResponse = dict[str, Any]

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # the name of a type

_MAX_GROUPS = 100


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """A request to the token endpoint, of a client that has proved who it is."""

    state: IssuerState
    server: Server
    issuer: str
    client: Client
    form: dict[str, str]
    requested_url: str | None = None
    """The URL by which the client called; only a server that is DYNAMIC goes by it."""

    def __repr__(self) -> str:
        """Leave out the form: there are passwords, codes and tokens in it."""
        return f"TokenRequest(server={self.server.id!r}, client={self.client.id!r})"

    def grant(self, grant_type: str, scopes: tuple[str, ...], user: User | None, **more: Any) -> Grant:
        """Return a new grant that the access policy allows.

        Raises:
            OAuthError: the policy does not.
        """
        return new_grant(self.state, self.server, self.issuer, self.client, grant_type, scopes, user, **more)

    def renew(self, grant: Grant, scopes: tuple[str, ...]) -> Grant:
        """Return a grant as it is now: user, claims and policy may have changed, and the sign-in is what it was.

        Raises:
            OAuthError: the server has not all these scopes any more, or the policy does not allow it any more.
        """
        check_known(self.server, scopes)
        user = self.state.registry.user(grant.user.login) if grant.user else None
        return replace(
            self.grant(grant.grant_type, scopes, user),
            issuer=grant.issuer,
            refresh_token_id=grant.refresh_token_id,
            key_thumbprint=grant.key_thumbprint,
            grant_id=grant.grant_id,
            authenticated_at=grant.auth_time,
            amr=grant.amr,
            acr=grant.acr,
        )


def new_grant(
    state: IssuerState,
    server: Server,
    issuer: str,
    client: Client,
    grant_type: str,
    scopes: tuple[str, ...],
    user: User | None,
    **more: Any,
) -> Grant:
    """Return a grant of this moment that the access policy of the server allows.

    Raises:
        OAuthError: the policy does not, the user is not assigned to the client or in more groups than a token may name.
    """
    if user is not None and client.users is not None and user.login not in client.users:
        raise OAuthError(ErrorCase.USER_NOT_ASSIGNED)
    if user is not None and "groups" in scopes and len(user.groups) > _MAX_GROUPS:
        raise OAuthError(ErrorCase.TOO_MANY_GROUPS)
    rule = matching_rule(server, grant_type, client, user, scopes)
    grant = Grant(
        server=server,
        issuer=issuer,
        client_id=client.id,
        scopes=scopes,
        user=user,
        issued_at=int(state.clock.now()),
        lifetime_s=rule.access_token_lifetime or server.access_token_lifetime,
        refresh_idle_s=rule.refresh_token_idle_lifetime or REFRESH_IDLE_LIFETIME_S,
        grant_id=new_grant_id(),
        grant_type=grant_type,
        custom_claims=custom_claims(server, client, user, scopes),
        custom_id_token_claims=custom_claims(server, client, user, scopes, "id_token_claims"),
    )
    return replace(grant, **more)


def token_response(
    state: IssuerState, grant: Grant, refresh_token: str | None = None, device_secret: str | None = None
) -> TokenResponse:
    """Return the answer of the token endpoint, with an ID token where ``openid`` was granted (RFC 6749 section 5.1)."""
    access_token = issue_access_token(state, grant)
    response: TokenResponse = {
        "token_type": "Bearer",
        "expires_in": grant.lifetime_s,
        "access_token": access_token,
        "scope": " ".join(grant.scopes),
    }
    if refresh_token is not None:
        response["refresh_token"] = refresh_token
    if grant.user is not None and "openid" in grant.scopes:
        response["id_token"] = issue_id_token(state, grant, grant.user, access_token, device_secret=device_secret)
    return response if device_secret is None else {**response, "device_secret": device_secret}


def user_token_response(state: IssuerState, client: Client, grant: Grant) -> TokenResponse:
    """Return the answer to a user's grant, with a refresh token if ``offline_access`` was granted to a fit client."""
    if "offline_access" not in grant.scopes or REFRESH_TOKEN not in client.grant_types:
        return token_response(state, grant)
    grant = replace(grant, refresh_token_id=new_refresh_token_id())
    device_secret = _issue_device_secret(state, grant) if {"openid", "device_sso"} <= set(grant.scopes) else None
    return token_response(state, grant, issue_refresh_token(state, grant), device_secret)


def issue_access_token(state: IssuerState, grant: Grant) -> str:
    """Return a new access token, signed by the server's ACTIVE key and written into the store."""
    claims = state.profile.access_token_claims(grant)
    typ = state.access_token_type(grant.server)
    return _signed(state, grant, "access", claims, typ)


def issue_id_token(
    state: IssuerState,
    grant: Grant,
    user: User,
    access_token: str | None = None,
    code: str | None = None,
    device_secret: str | None = None,
) -> str:
    """Return a new ID token, bound to the access token, the code and the device secret that go with it."""
    bound = replace(grant, lifetime_s=ID_TOKEN_LIFETIME_S)
    claims = id_token_claims(bound, user, access_token, code, device_secret)
    return _signed(state, grant, "id", claims, None)


def issue_refresh_token(state: IssuerState, grant: Grant, expires_at: int | None = None) -> str:
    """Return a new refresh token, good until a moment, or for as long as those of the server are without use."""
    token = random_text()
    state.store.add(token, IssuedToken.of_refresh_token(grant, _renewable_claims(state, grant, expires_at)))
    return token


def _issue_device_secret(state: IssuerState, grant: Grant) -> str:
    """Return what another app of the same device shows to sign the same user in (OpenID Connect Native SSO)."""
    secret = random_text()
    issued = IssuedToken.of_refresh_token(grant, _renewable_claims(state, grant))
    issued.kind = "device_secret"
    state.store.add(secret, issued)
    return secret


def _renewable_claims(state: IssuerState, grant: Grant, expires_at: int | None = None) -> Claims:
    exp = int(state.clock.now()) + refresh_lifetime_s(grant) if expires_at is None else expires_at
    return {"exp": exp, "sub": grant.user.login if grant.user else None}


def _signed(state: IssuerState, grant: Grant, kind: TokenKind, claims: Claims, typ: str | None) -> str:
    from fakeissuer.jose import keys  # noqa: PLC0415  # loaded with the first key, see jose

    key = state.access_token_key(grant.server) if kind == "access" else state.ring(grant.server).signing_key()
    token = keys.sign(key, jose_header(key, SIGNING_ALGORITHM, typ), to_payload(claims))
    state.store.add(token, IssuedToken.of(grant, kind, claims))
    return token
