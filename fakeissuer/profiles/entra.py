"""Microsoft Entra ID: a tenant per server, and access tokens of version 2 (``entra``) or 1 (``entra-v1``)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import api_scopes, document, groups_of, guid, lifetime, nonce_of, with_certificate
from fakeissuer.profiles.profile import Metadata, Profile

_ALIASES = {"common": "default", "organizations": "default"}
_V2 = "{part}/v2.0"
_DOCUMENT_V1, _DOCUMENT_V2 = "{part}/.well-known/openid-configuration", f"{_V2}/.well-known/openid-configuration"


def tenant(server_id: str) -> str:
    """Return the tenant ID of a server."""
    return guid(f"tenant {server_id}")


def _layout(issuer: str, *documents: str) -> Layout:
    return Layout(
        issuer=issuer,
        segment=tenant,
        aliases=_ALIASES,
        documents=documents,
        endpoints={
            "authorize": "{part}/oauth2/v2.0/authorize",
            "token": "{part}/oauth2/v2.0/token",
            "userinfo": "{part}/openid/userinfo",
            "keys": "{part}/discovery/v2.0/keys",
            "logout": "{part}/oauth2/v2.0/logout",
            "device": "{part}/oauth2/v2.0/devicecode",
        },
    )


def _object_id(grant: Grant) -> str:
    return guid(grant.user.login if grant.user else f"service principal {grant.client_id}")


def _pairwise(user: User) -> str:
    return f"{guid(f'pairwise {user.login}').replace('-', '')}AbC"


def _common(grant: Grant) -> Claims:
    """Return the claims that both versions share; an application has ``roles`` and no ``scp``."""
    claims: Claims = {"aud": grant.server.audience, "iss": grant.issuer, "nbf": grant.issued_at, **lifetime(grant)}
    claims |= {"oid": _object_id(grant), "tid": tenant(grant.server.id), "uti": secrets.token_urlsafe(16)}
    if grant.user is None:
        return claims | {"sub": claims["oid"], "roles": api_scopes(grant)}
    claims |= {"sub": _pairwise(grant.user), "name": grant.user.name, "scp": " ".join(api_scopes(grant))}
    return claims | {"roles": groups_of(grant), "groups": [guid(f"group {name}") for name in grant.user.groups]}


def _access_token_v2(grant: Grant) -> Claims:
    claims = _common(grant) | {"azp": grant.client_id, "azpacr": "1", "ver": "2.0"}
    if grant.user:
        claims["preferred_username"] = grant.user.login
    return claims | grant.custom_claims


def _access_token_v1(grant: Grant) -> Claims:
    claims = _common(grant) | {"appid": grant.client_id, "appidacr": "1", "ver": "1.0"}
    if grant.user:
        claims |= {"acr": "1", "amr": list(grant.amr), "upn": grant.user.login, "unique_name": grant.user.login}
        claims |= {"given_name": grant.user.given_name, "family_name": grant.user.family_name}
    return claims | grant.custom_claims


def _id_token(version: str) -> Callable[..., Claims]:
    def claims(grant: Grant, user: User, *_issued_with: str | None, **_more: str | None) -> Claims:
        # An ID token of the token endpoint has neither at_hash nor c_hash.
        name = "preferred_username" if version == "2.0" else "unique_name"
        own: Claims = {"aud": grant.client_id, "iss": grant.issuer, "nbf": grant.issued_at, **lifetime(grant)}
        own |= {"name": user.name, "oid": guid(user.login), name: user.login, "sub": _pairwise(user)}
        own |= {"tid": tenant(grant.server.id), "ver": version}
        return own | nonce_of(grant) | grant.custom_id_token_claims

    return claims


def _metadata(urls: ServerURLs, path: str) -> Metadata:
    """Return the document of the version that the path names; that of ``common`` has a template as issuer."""
    segment, is_v2 = path.split("/")[1], "/v2.0/" in path
    base = f"{urls.base_url}/{'{tenantid}' if segment in _ALIASES else segment}"
    members = document(
        urls,
        scopes_supported=["openid", "profile", "email", "offline_access"],
        subject_types_supported=["pairwise"],
        token_endpoint_auth_methods_supported=["client_secret_post", "private_key_jwt", "client_secret_basic"],
        tenant_region_scope="NA",
        cloud_instance_name="microsoftonline.com",
    )
    return {**members, "issuer": f"{base}/v2.0" if is_v2 else f"{base}/"}


def _published_key(jwk: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return a key as Entra publishes it: without ``alg``, and with the template of the issuers that it signs for."""
    public: dict[str, Any] = {name: jwk[name] for name in ("kty", "use", "kid", "x5t", "n", "e", "x5c") if name in jwk}
    return {**public, "issuer": f"{base_url}/{{tenantid}}/v2.0"}


_BOTH = ("kid", "x5t")

PROFILES = {
    "entra": Profile(
        layout=_layout(_V2, _DOCUMENT_V2, _DOCUMENT_V1),
        access_token_claims=_access_token_v2,
        id_token_claims=_id_token("2.0"),
        subject=_pairwise,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        # The audience of version 2 is always the client ID of the API.
        audiences={"default": guid("api://default"), "partner": guid("api://partner")},
        complete_key=with_certificate,
        published_key=_published_key,
    ),
    "entra-v1": Profile(
        layout=_layout("{part}/", _DOCUMENT_V1, _DOCUMENT_V2),
        access_token_claims=_access_token_v1,
        id_token_claims=_id_token("1.0"),
        subject=_pairwise,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # as above
        access_token_key_members=_BOTH,
        id_token_key_members=_BOTH,
        is_strict=True,
        metadata=_metadata,
        complete_key=with_certificate,
        published_key=_published_key,
    ),
}
