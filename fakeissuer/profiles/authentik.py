"""authentik: an application per server, and access tokens with nearly all claims of ID tokens."""

from __future__ import annotations

import hashlib

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import (
    document,
    groups_of,
    hashes,
    lifetime,
    new_guid,
    profile_of,
    sign_in_of,
    with_certificate,
)
from fakeissuer.profiles.profile import IntrospectedToken, Metadata, Profile

_ACR = "goauthentik.io/providers/oauth2/default"

_LAYOUT = Layout(
    part="/application/o/{server}",
    issuer="{part}/",
    documents=("{part}/.well-known/openid-configuration",),
    endpoints={
        # These are shared by all applications; the fake issuer gives them to its server default.
        "authorize": "/application/o/authorize/",
        "token": "/application/o/token/",
        "userinfo": "/application/o/userinfo/",
        "introspect": "/application/o/introspect/",
        "revoke": "/application/o/revoke/",
        "device": "/application/o/device/",
        "logout": "{part}/end-session/",
        "keys": "{part}/jwks/",
    },
)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _subject(user: User) -> str:
    return _hashed(user.login)


def _shared(grant: Grant) -> Claims:
    """Return the claims that access tokens and ID tokens share; the audience of both is the client."""
    subject = _subject(grant.user) if grant.user else _hashed(grant.client_id)
    claims: Claims = {"iss": grant.issuer, "sub": subject, "aud": grant.client_id, **lifetime(grant)}
    if grant.user is None:
        return claims
    claims |= {"acr": _ACR, "amr": list(grant.amr), "sid": _hashed(f"session {grant.user.login}"), **sign_in_of(grant)}
    return claims | profile_of(grant.user) | {"groups": groups_of(grant)}


def _access_token(grant: Grant) -> Claims:
    uid = new_guid().replace("-", "")
    return _shared(grant) | {"azp": grant.client_id, "uid": uid} | grant.custom_claims


def _id_token(
    grant: Grant, user: User, access_token: str | None = None, code: str | None = None, _secret: str | None = None
) -> Claims:
    return _shared(grant) | {"sub": _subject(user)} | hashes(access_token, code) | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls)


def _introspection(token: IntrospectedToken) -> Claims:
    """Return the ID token's claims, with the client that sent the request as ``client_id``."""
    claims = {name: value for name, value in token.claims.items() if name not in ("azp", "uid")}
    return claims | {"scope": " ".join(token.scopes), "client_id": token.caller_id}


PROFILES = {
    "authentik": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        introspection=_introspection,
        complete_key=with_certificate,
    )
}
