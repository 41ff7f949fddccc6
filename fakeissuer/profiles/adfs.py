"""ADFS: access tokens with an issuer of their own, and with ``x5t`` in place of ``kid``."""

from __future__ import annotations

import datetime as dt

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import api_scopes, document, groups_of, guid, lifetime, nonce_of, with_certificate
from fakeissuer.profiles.profile import Metadata, Profile

_ACCESS_TOKEN_ISSUER = "/services/trust"  # noqa: S105  # a path
_AUDIENCE_PREFIX = "microsoft:identityserver:"

_LAYOUT = Layout(
    issuer="{part}/adfs",
    root_server="default",
    documents=("{part}/adfs/.well-known/openid-configuration",),
    endpoints={
        "authorize": "{part}/adfs/oauth2/authorize/",
        "token": "{part}/adfs/oauth2/token/",
        "userinfo": "{part}/adfs/userinfo",
        "keys": "{part}/adfs/discovery/keys",
        "logout": "{part}/adfs/oauth2/logout",
        "device": "{part}/adfs/oauth2/devicecode",
    },
)


def _subject(user: User) -> str:
    return guid(user.login)


def _access_token(grant: Grant) -> Claims:
    """Return the claims of an access token, which has no ``sub`` and its time of authentication as text."""
    authenticated = dt.datetime.fromtimestamp(grant.auth_time, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    claims: Claims = {"aud": grant.server.audience, "iss": f"{grant.issuer}{_ACCESS_TOKEN_ISSUER}", **lifetime(grant)}
    claims |= {"apptype": "Confidential", "appid": grant.client_id, "auth_time": authenticated, "ver": "1.0"}
    if grant.user:
        claims |= {"upn": grant.user.login, "scp": " ".join(grant.scopes), "role": groups_of(grant)}
    else:
        claims["scp"] = " ".join(api_scopes(grant))
    return claims | grant.custom_claims


def _id_token(grant: Grant, user: User, *_issued_with: str | None, **_more: str | None) -> Claims:
    claims: Claims = {"aud": grant.client_id, "iss": grant.issuer, **lifetime(grant), "auth_time": grant.auth_time}
    claims |= {"sub": _subject(user), "upn": user.login, "unique_name": user.login}
    return claims | nonce_of(grant) | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, access_token_issuer=f"{urls.issuer}{_ACCESS_TOKEN_ISSUER}", capabilities=["kdf_ver2"])


PROFILES = {
    "adfs": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        access_token_key_members=("x5t",),
        id_token_key_members=("x5t", "kid"),
        is_strict=True,
        metadata=_metadata,
        audiences={name: f"{_AUDIENCE_PREFIX}api://{name}" for name in ("default", "partner")},
        complete_key=with_certificate,
    )
}
