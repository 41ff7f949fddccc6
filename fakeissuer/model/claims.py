"""The claims of each kind of token, in the order of Okta's responses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fakeissuer.jose.raw_jws import base64url
from fakeissuer.model.grant_types import AUTHORIZATION_CODE
from fakeissuer.model.identifiers import derived_id, new_access_token_id, new_id_token_id
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User

Claims = dict[str, Any]

SIGNING_ALGORITHM = "RS256"
"""Okta's signing algorithm; only the mint call uses others."""

ID_TOKEN_LIFETIME_S = 3600
REFRESH_IDLE_LIFETIME_S = 7 * 86_400
_ORG_REFRESH_LIFETIME_S = 90 * 86_400
"""The lifetime of the org server's refresh tokens, in use or not."""
ORG_TOKEN_TYPE = "application/okta-internal-at+jwt"  # noqa: S105  # a media type
_IDENTITY_PROVIDER = derived_id("00o", "fake issuer")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A grant, from which the claims of tokens are derived.

    All tokens of one authentication share its ``grant_id``, and the IDs of tokens that were exchanged for them start
    with it, so that they can be revoked together. A refresh is checked against the access policy under ``grant_type``.
    """

    server: Server
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    user: User | None
    issued_at: int
    lifetime_s: int
    refresh_idle_s: int = REFRESH_IDLE_LIFETIME_S
    refresh_token_id: str | None = None
    key_thumbprint: str | None = None
    certificate_thumbprint: str | None = None
    grant_id: str | None = None
    grant_type: str = AUTHORIZATION_CODE
    authenticated_at: int | None = None
    amr: tuple[str, ...] = ("pwd",)
    acr: str | None = None
    nonce: str | None = None
    custom_claims: Claims = field(default_factory=dict)
    custom_id_token_claims: Claims = field(default_factory=dict)

    @property
    def confirmation(self) -> Claims:
        """The claim ``cnf`` of an access token that is bound to a key or a certificate; empty for a bearer token."""
        bound_to = {"jkt": self.key_thumbprint, "x5t#S256": self.certificate_thumbprint}
        members = {name: thumbprint for name, thumbprint in bound_to.items() if thumbprint}
        return {"cnf": members} if members else {}

    @property
    def auth_time(self) -> int:
        """When the user signed in; for minted tokens, when the token was issued."""
        return self.issued_at if self.authenticated_at is None else self.authenticated_at


def access_token_claims(grant: Grant) -> Claims:
    """Return the claims of an access token; without a user the client is the subject."""
    subject = grant.user.login if grant.user else grant.client_id
    claims: Claims = {
        "ver": 1,
        "jti": new_access_token_id(grant.refresh_token_id),
        "iss": grant.issuer,
        "aud": grant.issuer if grant.server.is_org else grant.server.audience,
    }
    if grant.server.is_org:  # the order in a recorded token
        claims["sub"] = subject
    claims |= {"iat": grant.issued_at, "exp": grant.issued_at + grant.lifetime_s}
    claims |= grant.confirmation
    claims["cid"] = grant.client_id
    if grant.user:
        claims["uid"] = grant.user.id
    claims["scp"] = list(grant.scopes)
    if grant.user:
        claims["auth_time"] = grant.auth_time
    claims.setdefault("sub", subject)
    if grant.acr:
        claims["acr"] = grant.acr
    # At Okta an org server has no custom claims, and puts groups into ID tokens and userinfo only.
    return claims if grant.server.is_org else claims | access_token_extras(grant)


def rfc9068_claims(grant: Grant) -> Claims:
    """Return the claims of an access token as RFC 9068 section 2.2 names them."""
    claims: Claims = {
        "iss": grant.issuer,
        "exp": grant.issued_at + grant.lifetime_s,
        "aud": grant.issuer if grant.server.is_org else grant.server.audience,
        "sub": grant.user.id if grant.user else grant.client_id,
        "client_id": grant.client_id,
        "iat": grant.issued_at,
        "jti": new_access_token_id(grant.refresh_token_id),
        "scope": " ".join(grant.scopes),
    }
    claims |= grant.confirmation
    if grant.user:
        claims["auth_time"] = grant.auth_time
        if grant.acr:
            claims["acr"] = grant.acr
    return claims | access_token_extras(grant)


def access_token_extras(grant: Grant) -> Claims:
    """Return the groups of the user and the custom claims that the server puts into access tokens."""
    groups = {"groups": list(grant.user.groups)} if grant.user else {}
    return _placed(grant.server, groups | grant.custom_claims, grant.scopes, "access_token")


def _placed(
    server: Server,
    claims: Claims,
    scopes: tuple[str, ...],
    where: Literal["access_token", "id_token", "userinfo"],
    *,
    thin: bool = False,
) -> Claims:
    return {name: value for name, value in claims.items() if server.places(name, scopes, where, thin=thin)}


def id_token_claims(
    grant: Grant,
    user: User,
    access_token: str | None = None,
    code: str | None = None,
    device_secret: str | None = None,
) -> Claims:
    """Return the claims of an ID token: its audience is the client, its subject the user's ID, not the login.

    It omits most of the profile, groups and custom claims, which userinfo returns, if it is issued with an access token
    or a code; the server's ``claim_placement`` makes exceptions.
    """
    claims: Claims = {"sub": user.id}
    if "profile" in grant.scopes:
        claims["name"] = user.name
    if "email" in grant.scopes:
        claims["email"] = user.email
    claims |= {"ver": 1, "iss": grant.issuer, "aud": grant.client_id, "iat": grant.issued_at}
    claims |= {"exp": grant.issued_at + grant.lifetime_s, "jti": new_id_token_id()}
    claims |= {"amr": list(grant.amr), "idp": _IDENTITY_PROVIDER}
    if grant.nonce is not None:
        claims["nonce"] = grant.nonce
    if "profile" in grant.scopes:
        claims["preferred_username"] = user.login
    claims["auth_time"] = grant.auth_time
    if grant.acr:
        claims["acr"] = grant.acr
    beside = {"at_hash": access_token, "ds_hash": device_secret, "c_hash": code}
    claims |= {name: left_half_hash(text) for name, text in beside.items() if text is not None}
    thin = access_token is not None or code is not None
    if not thin:
        claims |= {name: value for name, value in profile_claims(user, grant.scopes).items() if name not in claims}
    extras = {"groups": list(user.groups)} | grant.custom_id_token_claims
    return claims | _placed(grant.server, extras, grant.scopes, "id_token", thin=thin)


def userinfo_claims(server: Server, user: User, scopes: tuple[str, ...], custom: Claims) -> Claims:
    """Return the claims of a userinfo response; ``custom`` are the custom claims of ID tokens."""
    extras = {"groups": list(user.groups)} | custom
    return profile_claims(user, scopes) | _placed(server, extras, scopes, "userinfo")


def profile_claims(user: User, scopes: tuple[str, ...]) -> Claims:
    """Return the claims about a user that the scopes allow (OpenID Connect Core 1.0 section 5.4)."""
    has_profile, has_email = "profile" in scopes, "email" in scopes
    claims: Claims = {"sub": user.id}
    if has_profile:
        claims |= {"name": user.name, "locale": user.locale}
    if has_email:
        claims["email"] = user.email
    if has_profile:
        claims |= {"preferred_username": user.login, "given_name": user.given_name, "family_name": user.family_name}
        claims |= {"zoneinfo": user.zoneinfo, "updated_at": user.updated_at}
    if has_email:
        claims["email_verified"] = user.email_verified
    if "phone" in scopes and user.phone_number:
        claims["phone_number"] = user.phone_number
    if "address" in scopes and user.address:
        claims["address"] = dict(user.address)
    return claims


def refresh_lifetime_s(grant: Grant) -> int:
    """Return the seconds for which an unused refresh token of a grant is valid."""
    return _ORG_REFRESH_LIFETIME_S if grant.server.is_org else grant.refresh_idle_s


def left_half_hash(text: str) -> str:
    """Return the left half of the SHA-256 of a token or code, base64url (OpenID Connect Core 1.0 section 3.1.3.6)."""
    digest = hashlib.sha256(text.encode()).digest()
    return base64url(digest[: len(digest) // 2])


def apply_changes(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return members with changes: a value replaces or appends a member, None removes it."""
    result = {**members, **changes}
    return {name: value for name, value in result.items() if not (name in changes and value is None)}
