"""Keycloak: a realm per server, roles in nested objects, and the kind of token as ``typ`` in the payload."""

from __future__ import annotations

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import (
    document,
    groups_of,
    guid,
    hashes,
    lifetime,
    new_guid,
    profile_of,
    sign_in_of,
    with_certificate,
)
from fakeissuer.profiles.profile import IntrospectedToken, Metadata, Profile

_OIDC = "{part}/protocol/openid-connect"

_LAYOUT = Layout(
    part="/realms/{server}",
    issuer="{part}",
    endpoints={
        "authorize": f"{_OIDC}/auth",
        "token": f"{_OIDC}/token",
        "introspect": f"{_OIDC}/token/introspect",
        "userinfo": f"{_OIDC}/userinfo",
        "logout": f"{_OIDC}/logout",
        "keys": f"{_OIDC}/certs",
        "revoke": f"{_OIDC}/revoke",
        "device": f"{_OIDC}/auth/device",
    },
)


def _subject(user: User) -> str:
    return guid(user.login)


def _access_token(grant: Grant) -> Claims:
    roles = groups_of(grant)
    audience = grant.server.audience
    claims: Claims = lifetime(grant) | {"jti": new_guid()}
    claims |= {"iss": grant.issuer, "aud": [audience, "account"]}
    claims |= {"sub": _subject(grant.user) if grant.user else guid(f"service-account-{grant.client_id}")}
    claims |= {"typ": "Bearer", "azp": grant.client_id, "acr": "1", "realm_access": {"roles": roles}}
    claims |= {"resource_access": {audience: {"roles": roles}, "account": {"roles": ["view-profile"]}}}
    claims["scope"] = " ".join(grant.scopes)
    if grant.user:
        claims |= {"sid": guid(f"session {grant.user.login}"), "auth_time": grant.auth_time, **profile_of(grant.user)}
    else:
        claims |= {"preferred_username": f"service-account-{grant.client_id}", "client_id": grant.client_id}
    return claims | grant.custom_claims


def _id_token(
    grant: Grant, user: User, access_token: str | None = None, code: str | None = None, _secret: str | None = None
) -> Claims:
    claims: Claims = lifetime(grant) | {"iss": grant.issuer, "aud": grant.client_id, "sub": _subject(user)}
    claims |= {"typ": "ID", "azp": grant.client_id, "acr": "1", "sid": guid(f"session {user.login}")}
    return claims | sign_in_of(grant) | hashes(access_token, code) | profile_of(user) | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, grant_types_supported=["authorization_code", "client_credentials", "refresh_token"])


def _introspection(token: IntrospectedToken) -> Claims | None:
    # Since 26.6.2 (CVE-2026-37979) a token is inactive for a client that is not among its audiences.
    if token.kind == "access" and token.caller_id not in token.claims.get("aud", ()):
        return None
    username = {} if token.username is None else {"username": token.username}
    return token.claims | {"client_id": token.client_id, "token_type": "Bearer", **username}


PROFILES = {
    "keycloak": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        introspection=_introspection,
        # An audience is a client of the realm: here the one that may introspect.
        audiences={"default": "0oaapi00000000000001", "partner": "partner-api"},
        complete_key=with_certificate,
        publishes_encryption_key=True,
    )
}
