"""Amazon Cognito: a user pool per server, access tokens without ``aud``, and a key of their own for ID tokens."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import document, groups_of, guid, hashes, lifetime, new_guid, sign_in_of
from fakeissuer.profiles.profile import Metadata, Profile

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey


def _pool(server_id: str) -> str:
    return f"us-east-1_{guid(f'pool {server_id}').replace('-', '')[:9]}"


_LAYOUT = Layout(
    issuer="{part}",
    segment=_pool,
    endpoints={
        # At Amazon these are on another host, the pool's domain; only the key set is below the issuer.
        "authorize": "{part}/oauth2/authorize",
        "token": "{part}/oauth2/token",
        "userinfo": "{part}/oauth2/userInfo",
        "revoke": "{part}/oauth2/revoke",
        "logout": "{part}/logout",
        "keys": "{part}/.well-known/jwks.json",
    },
)


def _subject(user: User) -> str:
    return guid(user.login)


def _groups(grant: Grant) -> Claims:
    return {"cognito:groups": groups_of(grant)} if grant.user else {}


def _access_token(grant: Grant) -> Claims:
    claims: Claims = {"sub": _subject(grant.user) if grant.user else grant.client_id, **_groups(grant)}
    claims |= {"iss": grant.issuer, "version": 2, "client_id": grant.client_id, "token_use": "access"}
    claims |= {"scope": " ".join(grant.scopes), "auth_time": grant.auth_time, **lifetime(grant)}
    claims["jti"] = new_guid()
    if grant.user:
        claims["username"] = grant.user.login
    return claims | grant.custom_claims


def _id_token(
    grant: Grant, user: User, access_token: str | None = None, code: str | None = None, _secret: str | None = None
) -> Claims:
    claims: Claims = hashes(access_token, code) | {"sub": _subject(user), **_groups(grant)}
    claims |= {"email_verified": user.email_verified, "iss": grant.issuer, "cognito:username": user.login}
    claims |= {"aud": grant.client_id, "token_use": "id", **sign_in_of(grant), **lifetime(grant), "email": user.email}
    return claims | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"])


def _with_padded_kid(key: SigningKey) -> SigningKey:
    """Return a key whose ID is base64 with padding, which no URL-safe identifier has."""
    kid = base64.b64encode(hashlib.sha256(str(key.public["n"]).encode()).digest()).decode()
    return replace(key, kid=kid, public={**key.public, "kid": kid})


PROFILES = {
    "cognito": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ=None,
        id_token_key="next",  # noqa: S106  # a status
        is_strict=True,
        metadata=_metadata,
        complete_key=_with_padded_kid,
    )
}
