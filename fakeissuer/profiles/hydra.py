"""Ory Hydra with JWT access tokens: ``scp`` as a list, session data in ``ext``, introspection on the admin API."""

from __future__ import annotations

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import document, groups_of, guid, hashes, lifetime, new_guid, sign_in_of
from fakeissuer.profiles.profile import IntrospectedToken, Metadata, Profile

_LAYOUT = Layout(
    issuer="{part}/",
    root_server="default",
    endpoints={
        "authorize": "{part}/oauth2/auth",
        "token": "{part}/oauth2/token",
        "userinfo": "{part}/userinfo",
        "revoke": "{part}/oauth2/revoke",
        "logout": "{part}/oauth2/sessions/logout",
        "keys": "{part}/.well-known/jwks.json",
        # At Hydra this is on the admin port, needs no authentication and is not announced.
        "introspect": "{part}/admin/oauth2/introspect",
    },
)


def _subject(user: User) -> str:
    return user.login


def _access_token(grant: Grant) -> Claims:
    session = {"roles": groups_of(grant)} if grant.user else {}
    claims: Claims = {"aud": [grant.server.audience], "client_id": grant.client_id}
    claims |= {"ext": session | grant.custom_claims, "iss": grant.issuer, "nbf": grant.issued_at, **lifetime(grant)}
    claims |= {"jti": new_guid(), "scp": list(grant.scopes)}
    return claims | {"sub": _subject(grant.user) if grant.user else grant.client_id}


def _id_token(
    grant: Grant, user: User, access_token: str | None = None, code: str | None = None, _secret: str | None = None
) -> Claims:
    claims: Claims = {"aud": [grant.client_id], "iss": grant.issuer, **lifetime(grant), "rat": grant.auth_time}
    claims |= {"sub": _subject(user), "sid": guid(f"session {user.login}"), **sign_in_of(grant)}
    return claims | hashes(access_token, code) | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, unannounced=("introspect",))


def _introspection(token: IntrospectedToken) -> Claims:
    use = "refresh_token" if token.kind == "refresh" else "access_token"
    members: Claims = {"scope": " ".join(token.scopes), "client_id": token.client_id}
    members |= {name: token.claims[name] for name in ("sub", "exp", "iat", "iss") if name in token.claims}
    members |= {"nbf": token.claims.get("iat"), "aud": token.claims.get("aud", []), "ext": token.claims.get("ext", {})}
    return members | {"token_type": "Bearer", "token_use": use}


PROFILES = {
    "hydra": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        introspection=_introspection,
    )
}
