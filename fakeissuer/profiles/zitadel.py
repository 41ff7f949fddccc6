"""Zitadel: the clients of a project share an audience, and roles are the members of an object."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fakeissuer.model.claims import Claims, Grant
from fakeissuer.model.layout import Layout
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.parts import document, groups_of, hashes, lifetime, new_guid, number, sign_in_of
from fakeissuer.profiles.profile import IntrospectedToken, Metadata, Profile

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

_ROLES = "urn:zitadel:iam:org:project:roles"
_API_CLIENT = "0oaapi00000000000001"
_ORGANIZATION = {number("organization"): "organization.example.com"}

_LAYOUT = Layout(
    issuer="{part}",
    root_server="default",
    endpoints={
        "authorize": "{part}/oauth/v2/authorize",
        "token": "{part}/oauth/v2/token",
        "introspect": "{part}/oauth/v2/introspect",
        "userinfo": "{part}/oidc/v1/userinfo",
        "revoke": "{part}/oauth/v2/revoke",
        "logout": "{part}/oidc/v1/end_session",
        "device": "{part}/oauth/v2/device_authorization",
        "keys": "{part}/oauth/v2/keys",
    },
)


def _subject(user: User) -> str:
    return number(user.login)


def _audience(grant: Grant) -> list[str]:
    """Return the clients of the project, and the project."""
    return list(dict.fromkeys((grant.client_id, _API_CLIENT, grant.server.audience)))


def _roles(grant: Grant) -> Claims:
    return {_ROLES: dict.fromkeys(groups_of(grant), _ORGANIZATION)} if grant.user else {}


def _access_token(grant: Grant) -> Claims:
    subject = _subject(grant.user) if grant.user else number(grant.client_id)
    claims: Claims = {"iss": grant.issuer, "sub": subject, "aud": _audience(grant), **lifetime(grant)}
    claims |= {"nbf": grant.issued_at, "client_id": grant.client_id, "jti": f"V2_{number(new_guid())}"}
    return claims | _roles(grant) | grant.custom_claims


def _id_token(
    grant: Grant, user: User, access_token: str | None = None, code: str | None = None, _secret: str | None = None
) -> Claims:
    claims: Claims = {"iss": grant.issuer, "sub": _subject(user), "aud": _audience(grant), **lifetime(grant)}
    claims |= {"azp": grant.client_id, "client_id": grant.client_id, "amr": list(grant.amr), **sign_in_of(grant)}
    return claims | hashes(access_token, code) | grant.custom_id_token_claims


def _metadata(urls: ServerURLs, _path: str) -> Metadata:
    return document(urls, introspection_endpoint_auth_methods_supported=["client_secret_basic", "private_key_jwt"])


def _introspection(token: IntrospectedToken) -> Claims | None:
    if token.caller_id not in token.claims.get("aud", ()):
        return None
    members = {"scope": " ".join(token.scopes), "client_id": token.client_id, "token_type": "Bearer"}
    username = {} if token.username is None else {"username": token.username}
    return token.claims | members | username


def _with_numeric_kid(key: SigningKey) -> SigningKey:
    kid = number(str(key.public["n"]))
    return replace(key, kid=kid, public={**key.public, "kid": kid})


PROFILES = {
    "zitadel": Profile(
        layout=_LAYOUT,
        access_token_claims=_access_token,
        id_token_claims=_id_token,
        subject=_subject,
        typ="JWT",
        id_token_typ="JWT",  # noqa: S106  # a media type
        is_strict=True,
        metadata=_metadata,
        introspection=_introspection,
        audiences={name: number(f"project {name}") for name in ("default", "partner")},
        complete_key=_with_numeric_kid,
    )
}
