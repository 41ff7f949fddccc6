"""What several profiles share: identifiers in each server's format, parts of tokens, and the discovery document."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fakeissuer.model.claims import Claims, Grant, left_half_hash
from fakeissuer.model.endpoints import EndpointName
from fakeissuer.model.servers import OIDC_SCOPES
from fakeissuer.model.urls import ServerURLs
from fakeissuer.model.users import User
from fakeissuer.profiles.profile import Metadata

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

_MEMBERS: dict[EndpointName, str] = {
    "authorize": "authorization_endpoint",
    "token": "token_endpoint",
    "userinfo": "userinfo_endpoint",
    "keys": "jwks_uri",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
    "logout": "end_session_endpoint",
    "device": "device_authorization_endpoint",
}
"""The members of a discovery document (RFC 8414 section 2, OpenID Connect Discovery 1.0 section 3)."""


def document(urls: ServerURLs, *, unannounced: Iterable[EndpointName] = (), **more: Any) -> Metadata:
    """Return a discovery document with the endpoints that the server has and announces."""
    endpoints = {
        member: urls.endpoints[name]
        for name, member in _MEMBERS.items()
        if name in urls.endpoints and name not in unannounced
    }
    return {
        "issuer": urls.issuer,
        **endpoints,
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        **more,
    }


def guid(text: str) -> str:
    """Return a GUID derived from a text."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"fakeissuer:{text}"))


def new_guid() -> str:
    """Return a random GUID."""
    return str(uuid.uuid4())


def number(text: str, digits: int = 18) -> str:
    """Return a decimal number of so many digits derived from a text."""
    return str(int(hashlib.sha256(text.encode()).hexdigest(), 16))[:digits]


def groups_of(grant: Grant) -> list[str]:
    """Return the groups of the user, which are the roles in the profiles of servers that have roles."""
    return list(grant.user.groups) if grant.user else []


def lifetime(grant: Grant) -> Claims:
    """Return ``iat`` and ``exp``."""
    return {"iat": grant.issued_at, "exp": grant.issued_at + grant.lifetime_s}


def api_scopes(grant: Grant) -> list[str]:
    """Return the granted scopes that are not those of OpenID Connect."""
    return [scope for scope in grant.scopes if scope not in OIDC_SCOPES]


def profile_of(user: User) -> Claims:
    """Return name and email of a user (OpenID Connect Core 1.0 section 5.1)."""
    return {
        "name": user.name,
        "preferred_username": user.login,
        "given_name": user.given_name,
        "family_name": user.family_name,
        "email": user.email,
        "email_verified": user.email_verified,
    }


def sign_in_of(grant: Grant) -> Claims:
    """Return ``auth_time``, and the ``nonce`` of the authorization request if there was one."""
    return {"auth_time": grant.auth_time} | nonce_of(grant)


def nonce_of(grant: Grant) -> Claims:
    """Return the ``nonce`` of the authorization request, if there was one."""
    return {} if grant.nonce is None else {"nonce": grant.nonce}


def hashes(access_token: str | None, code: str | None) -> Claims:
    """Return ``at_hash`` and ``c_hash`` of an ID token (OpenID Connect Core 1.0 section 3.3.2.11)."""
    beside = {"at_hash": access_token, "c_hash": code}
    return {name: left_half_hash(text) for name, text in beside.items() if text is not None}


def with_certificate(key: SigningKey) -> SigningKey:
    """Return a key with a certificate, whose SHA-1 thumbprint is the key ID and ``x5t`` (RFC 7517 section 4.8)."""
    from fakeissuer.jose.x5c import self_issued  # noqa: PLC0415  # slow to import, needed with the first key

    certificate = self_issued(key)
    thumbprint = base64.urlsafe_b64encode(hashlib.sha1(certificate, usedforsecurity=False).digest())
    kid = thumbprint.decode().rstrip("=")
    x5c = [base64.b64encode(certificate).decode()]
    return replace(key, kid=kid, public={**key.public, "kid": kid, "x5t": kid, "x5c": x5c})
