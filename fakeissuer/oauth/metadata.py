"""The discovery documents, members in Okta's order (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2)."""

from __future__ import annotations

from typing import Any

from fakeissuer.model.grant_types import CIBA, CLIENT_CREDENTIALS, DEVICE_CODE
from fakeissuer.model.servers import ORG_SCOPES, RESERVED_SCOPES, Server
from fakeissuer.model.urls import ServerURLs
from fakeissuer.oauth.dpop import PROOF_ALGORITHMS

Metadata = dict[str, Any]

_RESPONSE_TYPES = ["code", "id_token", "code id_token", "code token", "id_token token", "code id_token token"]
_GRANT_TYPES = [
    "authorization_code",
    "implicit",
    "refresh_token",
    "password",
    DEVICE_CODE,
    CIBA,
]
_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
_ASYMMETRIC_ALGORITHMS = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"]
_REQUEST_ALGORITHMS = ["HS256", "HS384", "HS512", *_ASYMMETRIC_ALGORITHMS]
_ID_TOKEN_CLAIMS = """
    iss ver sub aud iat exp jti auth_time amr idp nonce name nickname preferred_username given_name middle_name
    family_name email email_verified profile zoneinfo locale address phone_number picture website gender birthdate
    updated_at at_hash c_hash
""".split()  # noqa: SIM905  # a list would have one name a line
_ACCESS_TOKEN_CLAIMS = ["ver", "jti", "iss", "aud", "iat", "exp", "cid", "uid", "scp", "sub"]
RFC9068_CLAIMS = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti", "scope", "auth_time", "acr"]
"""The claims of access tokens in the strict profile (RFC 9068 section 2.2)."""


def openid_configuration(server: Server, urls: ServerURLs) -> Metadata:
    """Return the OpenID Connect discovery document, which does not list custom scopes and claims."""
    return _document(server, urls, for_oidc=True) | {
        "grant_types_supported": [*_GRANT_TYPES, *([CLIENT_CREDENTIALS] if server.is_org else [])],
    }


def authorization_server_metadata(server: Server, urls: ServerURLs) -> Metadata:
    """Return the authorization server metadata; of a custom server, only this document lists ``client_credentials``."""
    return _document(server, urls, for_oidc=False)


def _document(server: Server, urls: ServerURLs, *, for_oidc: bool) -> Metadata:
    endpoints = urls.endpoints
    known_scopes = ORG_SCOPES if server.is_org else RESERVED_SCOPES
    members: Metadata = {
        "issuer": urls.issuer,
        "authorization_endpoint": endpoints["authorize"],
        "token_endpoint": endpoints["token"],
        "userinfo_endpoint": endpoints["userinfo"],
        "registration_endpoint": endpoints["register"],
        "jwks_uri": endpoints["keys"],
        "response_types_supported": _RESPONSE_TYPES if for_oidc else [*_RESPONSE_TYPES, "token"],
        "response_modes_supported": ["query", "fragment", "form_post", "okta_post_message"],
        "grant_types_supported": _GRANT_TYPES if for_oidc else [*_GRANT_TYPES, CLIENT_CREDENTIALS],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": list(dict.fromkeys((*known_scopes, *server.published_scopes))),
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "claims_supported": _ID_TOKEN_CLAIMS if for_oidc else _ACCESS_TOKEN_CLAIMS,
        "code_challenge_methods_supported": ["S256"],
        "introspection_endpoint": endpoints["introspect"],
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS,
        "revocation_endpoint": endpoints["revoke"],
        "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
        "end_session_endpoint": endpoints["logout"],
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": _REQUEST_ALGORITHMS,
        "device_authorization_endpoint": endpoints["device"],
        "pushed_authorization_request_endpoint": endpoints["par"],
        "backchannel_token_delivery_modes_supported": ["poll"],
        "backchannel_authentication_request_signing_alg_values_supported": _REQUEST_ALGORITHMS,
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
    }
    if not for_oidc:
        del members["userinfo_endpoint"], members["id_token_signing_alg_values_supported"]
    return members
