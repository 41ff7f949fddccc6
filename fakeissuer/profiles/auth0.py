"""Auth0: an issuer with a slash at the end, ``azp`` for the client, and roles as ``permissions``."""

from __future__ import annotations

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import document, groups_of, guid, lifetime, nonce_of, profile_of, with_certificate
from fakeissuer.profiles.profile import Metadata, Profile

_LAYOUT = Layout(
    issuer="{part}/",
    root_server="default",
    endpoints={
        "authorize": "{part}/authorize",
        "token": "{part}/oauth/token",
        "userinfo": "{part}/userinfo",
        "keys": "{part}/.well-known/jwks.json",
        "revoke": "{part}/oauth/revoke",
        "logout": "{part}/oidc/logout",
        "device": "{part}/oauth/device/code",
    },
)


def _subject(user: User) -> str:
    return f"auth0|{guid(user.login).replace('-', '')[:24]}"


def _access_token(grant: Grant) -> Claims:
    """Return the claims of the token profile ``auth0``, of an API whose RBAC switches are on."""
    audience = grant.server.audience
    has_userinfo = grant.user is not None and "openid" in grant.scopes
    claims: Claims = {
        "iss": grant.issuer,
        "sub": _subject(grant.user) if grant.user else f"{grant.client_id}@clients",
        "aud": [audience, f"{grant.issuer}userinfo"] if has_userinfo else audience,
        **lifetime(grant),
        "scope": " ".join(grant.scopes),
        "azp": grant.client_id,
    }
    if grant.user is None:
        claims["gty"] = "client-credentials"
    return claims | {"permissions": groups_of(grant)} | grant.custom_claims


def _id_token(grant: Grant, user: User, *_issued_with: str | None, **_more: str | None) -> Claims:
    claims: Claims = {"nickname": user.login.partition("@")[0], **profile_of(user), "iss": grant.issuer}
    del claims["preferred_username"]
    claims |= {"aud": grant.client_id, "sub": _subject(user), **lifetime(grant), "sid": guid(f"session {user.login}")}
    return claims | nonce_of(grant) | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, code_challenge_methods_supported=["S256", "plain"])


PROFILES = {
    "auth0": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        complete_key=with_certificate,
    )
}
