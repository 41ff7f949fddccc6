"""What Okta's servers put in a token: the claims of each kind, in the order in which they stand on the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fakeissuer.entries import Server, User
from fakeissuer.identifiers import derived_id, new_access_token_id, new_id_token_id

if TYPE_CHECKING:
    from fakeissuer.jose import SigningKey

Claims = dict[str, Any]

SIGNING_ALGORITHM = "RS256"
"""What Okta signs with; other algorithms come from the mint call alone."""

ID_TOKEN_LIFETIME_S = 3600
REFRESH_IDLE_LIFETIME_S = 7 * 86_400
ORG_TOKEN_TYPE = "application/okta-internal-at+jwt"  # noqa: S105 - a media type
IDENTITY_PROVIDER = derived_id("00o", "fake issuer")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What was granted to whom: all that the claims of a token are made from."""

    server: Server
    issuer: str
    client_id: str
    scopes: tuple[str, ...]
    user: User | None
    issued_at: int
    lifetime_s: int
    refresh_token_id: str | None = None
    key_thumbprint: str | None = None


def access_token_claims(grant: Grant) -> Claims:
    """Return the claims of an access token; without a user it speaks for the client itself."""
    subject = grant.user.login if grant.user else grant.client_id
    claims: Claims = {
        "ver": 1,
        "jti": new_access_token_id(grant.refresh_token_id),
        "iss": grant.issuer,
        "aud": grant.issuer if grant.server.is_org else grant.server.audience,
    }
    if grant.server.is_org:  # seen in a recorded token: there the subject stands before the times
        claims["sub"] = subject
    claims |= {"iat": grant.issued_at, "exp": grant.issued_at + grant.lifetime_s}
    if grant.key_thumbprint:
        claims["cnf"] = {"jkt": grant.key_thumbprint}
    claims["cid"] = grant.client_id
    if grant.user:
        claims["uid"] = grant.user.id
    claims["scp"] = list(grant.scopes)
    if grant.user:
        claims["auth_time"] = grant.issued_at
    claims.setdefault("sub", subject)
    if grant.user and "groups" in grant.scopes:
        claims["groups"] = list(grant.user.groups)
    return claims


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
    if grant.key_thumbprint:
        claims["cnf"] = {"jkt": grant.key_thumbprint}
    if grant.user:
        claims["auth_time"] = grant.issued_at
    if grant.user and "groups" in grant.scopes:
        claims["groups"] = list(grant.user.groups)
    return claims


def id_token_claims(grant: Grant, user: User) -> Claims:
    """Return the claims of an ID token: its audience is the client, its subject the user's id and not the login."""
    claims: Claims = {
        "sub": user.id,
        "name": user.name,
        "email": user.email,
        "ver": 1,
        "iss": grant.issuer,
        "aud": grant.client_id,
        "iat": grant.issued_at,
        "exp": grant.issued_at + grant.lifetime_s,
        "jti": new_id_token_id(),
        "amr": ["pwd"],
        "idp": IDENTITY_PROVIDER,
        "preferred_username": user.login,
        "auth_time": grant.issued_at,
    }
    if "groups" in grant.scopes:
        claims["groups"] = list(user.groups)
    return claims


def jose_header(key: SigningKey, alg: str, typ: str | None = None) -> dict[str, Any]:
    """Return the JOSE header: `kid` and `alg`, in that order, and a `typ` only if there is to be one."""
    header = {"kid": key.kid, "alg": alg}
    return header if typ is None else {**header, "typ": typ}


def changed(members: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return members with changes: a value is put in its place or at the end, None takes the member away."""
    result = {**members, **changes}
    return {name: value for name, value in result.items() if not (name in changes and value is None)}


def to_payload(claims: Mapping[str, Any]) -> bytes:
    """Return a claims set as the bytes to be signed; NaN and Infinity stay what Python calls them, for tests."""
    return json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()
