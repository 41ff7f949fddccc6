"""Issuing tokens: a grant becomes signed tokens, which are stored and put into the token response."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from fakeissuer.errors import OAuthError
from fakeissuer.errors.error_responses import ErrorCase
from fakeissuer.model.claim_templates import custom_claims
from fakeissuer.model.claims import (
    ID_TOKEN_LIFETIME_S,
    REFRESH_IDLE_LIFETIME_S,
    SIGNING_ALGORITHM,
    Claims,
    Grant,
    refresh_lifetime_s,
)
from fakeissuer.model.clients import Client
from fakeissuer.model.grant_types import REFRESH_TOKEN
from fakeissuer.model.identifiers import new_grant_id, new_refresh_token_id, random_text
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.oauth.dpop import ProofProblem, proof_rejected
from fakeissuer.oauth.scopes import check_known, matching_rule
from fakeissuer.oauth.signing import jose_header, token_key
from fakeissuer.state.state import IssuerState
from fakeissuer.state.token_store import IssuedToken, TokenKind

TokenResponse = dict[str, Any]

ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  # the name of a type

_MAX_GROUPS = 100


@dataclass(frozen=True, kw_only=True)
class TokenRequest:
    """A request of an authenticated client to the token endpoint, at the time ``now`` (seconds since the epoch).

    ``requested_url`` is the URL of the request; only a DYNAMIC server uses it. ``key_thumbprint`` is that of the key of
    its DPoP proof.
    """

    state: IssuerState
    server: Server
    issuer: str
    client: Client
    form: dict[str, str]
    now: float
    requested_url: str | None = None
    key_thumbprint: str | None = None

    def __repr__(self) -> str:
        """Omit the form, which holds passwords, codes and tokens."""
        return f"TokenRequest(server={self.server.id!r}, client={self.client.id!r})"

    def grant(self, grant_type: str, scopes: tuple[str, ...], user: User | None, **more: Any) -> Grant:
        """Return a new grant.

        Raises:
            OAuthError: The access policy does not allow it.
        """
        return new_grant(
            self.server,
            self.issuer,
            self.client,
            grant_type,
            scopes,
            user,
            now=self.now,
            key_thumbprint=self.key_thumbprint,
            **more,
        )

    def renew(self, grant: Grant, scopes: tuple[str, ...]) -> Grant:
        """Return a grant with the current user, claims and policy, and with the sign-in of the earlier grant.

        Raises:
            OAuthError: The server no longer has one of the scopes, the access policy no longer allows the grant, or it
                is bound to another key than that of this request.
        """
        if grant.key_thumbprint not in {None, self.key_thumbprint}:
            # A thief of a code or of a refresh token would otherwise bind the tokens to a key of their own.
            raise proof_rejected(ProofProblem.OTHER_KEY)
        check_known(self.server, scopes)
        user = self.state.registry.user(grant.user.login) if grant.user else None
        return replace(
            self.grant(grant.grant_type, scopes, user),
            issuer=grant.issuer,
            refresh_token_id=grant.refresh_token_id,
            grant_id=grant.grant_id,
            authenticated_at=grant.auth_time,
            amr=grant.amr,
            acr=grant.acr,
        )


def new_grant(
    server: Server,
    issuer: str,
    client: Client,
    grant_type: str,
    scopes: tuple[str, ...],
    user: User | None,
    *,
    now: float,
    **more: Any,
) -> Grant:
    """Return a grant that is issued at ``now``, in seconds since the epoch.

    Raises:
        OAuthError: The access policy does not allow the grant, or the user is not assigned to the client.
    """
    if user is not None and client.users is not None and user.login not in client.users:
        raise OAuthError(ErrorCase.USER_NOT_ASSIGNED)
    rule = matching_rule(server, grant_type, client, user, scopes)
    grant = Grant(
        server=server,
        issuer=issuer,
        client_id=client.id,
        scopes=scopes,
        user=user,
        issued_at=int(now),
        lifetime_s=rule.access_token_lifetime or server.access_token_lifetime,
        refresh_idle_s=rule.refresh_token_idle_lifetime or REFRESH_IDLE_LIFETIME_S,
        grant_id=new_grant_id(),
        grant_type=grant_type,
        **_custom_claims(server, client, user, scopes),
    )
    return replace(grant, **more) if more else grant


def token_response(
    state: IssuerState, grant: Grant, refresh_token: str | None = None, device_secret: str | None = None
) -> TokenResponse:
    """Return the token response, with an ID token if ``openid`` was granted (RFC 6749 section 5.1)."""
    access_token = issue_access_token(state, grant)
    response: TokenResponse = {
        "token_type": "Bearer" if grant.key_thumbprint is None else "DPoP",
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
    """Return the token response to a grant of a user.

    It has a refresh token if ``offline_access`` was granted and the client has the refresh token grant.
    """
    if "offline_access" not in grant.scopes or REFRESH_TOKEN not in client.grant_types:
        return token_response(state, grant)
    grant = replace(grant, refresh_token_id=new_refresh_token_id())
    device_secret = _issue_device_secret(state, grant) if {"openid", "device_sso"} <= set(grant.scopes) else None
    return token_response(state, grant, issue_refresh_token(state, grant), device_secret)


def issue_access_token(state: IssuerState, grant: Grant) -> str:
    """Return a new access token.

    Raises:
        OAuthError: The user is in more groups than a token may list.
    """
    claims = state.profile.access_token_claims(grant)
    return _issue_jwt(state, grant, "access", claims)


def issue_id_token(
    state: IssuerState,
    grant: Grant,
    user: User,
    access_token: str | None = None,
    code: str | None = None,
    device_secret: str | None = None,
) -> str:
    """Return a new ID token with the hashes of the access token, code and device secret issued with it.

    Raises:
        OAuthError: The user is in more groups than a token may list.
    """
    bound = replace(grant, lifetime_s=ID_TOKEN_LIFETIME_S)
    claims = state.profile.id_token_claims(bound, user, access_token, code, device_secret)
    return _issue_jwt(state, grant, "id", claims)


def issue_refresh_token(state: IssuerState, grant: Grant, expires_at: int | None = None) -> str:
    """Return a new refresh token that expires at ``expires_at``, by default after its lifetime without use."""
    token = random_text()
    state.store.add(token, IssuedToken.of_refresh_token(grant, _renewable_claims(grant, expires_at)))
    return token


def _issue_device_secret(state: IssuerState, grant: Grant) -> str:
    """Return the secret with which other apps of the device sign in the same user (OpenID Connect Native SSO)."""
    secret = random_text()
    issued = IssuedToken.of_refresh_token(grant, _renewable_claims(grant))
    issued.kind = "device_secret"
    state.store.add(secret, issued)
    return secret


def _renewable_claims(grant: Grant, expires_at: int | None = None) -> Claims:
    exp = grant.issued_at + refresh_lifetime_s(grant) if expires_at is None else expires_at
    return {"exp": exp, "sub": grant.user.login if grant.user else None}


def _custom_claims(server: Server, client: Client, user: User | None, scopes: tuple[str, ...]) -> dict[str, Any]:
    owners = (server, client) if user is None else (server, client, user)
    if not any(owner.claims or owner.id_token_claims for owner in owners):
        return {}
    return {
        "custom_claims": custom_claims(server, client, user, scopes),
        "custom_id_token_claims": custom_claims(server, client, user, scopes, "id_token_claims"),
    }


def check_groups(claims: Claims) -> None:
    """Check that claims list no more groups than Okta allows.

    Raises:
        OAuthError: There are more.
    """
    groups = claims.get("groups")
    if isinstance(groups, list) and len(groups) > _MAX_GROUPS:
        raise OAuthError(ErrorCase.TOO_MANY_GROUPS)


def _issue_jwt(state: IssuerState, grant: Grant, kind: TokenKind, claims: Claims) -> str:
    from fakeissuer.jose import keys  # noqa: PLC0415  # loading jwcrypto takes longer than the rest of the start

    check_groups(claims)
    ring = state.key_rings.for_server(grant.server)
    key = token_key(state.profile, ring, kind)
    header = jose_header(state.profile, grant.server, kind, key, SIGNING_ALGORITHM)
    token = keys.sign(key, header, keys.to_payload(claims))
    state.store.add(token, IssuedToken.of(grant, kind, claims))
    return token
