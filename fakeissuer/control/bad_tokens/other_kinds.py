"""JWTs that issuers sign with the same key as access tokens and that grant no access (RFC 8725 section 3.12).

Each has the claims of a real issuer, and the API's audience, as where the audience is the client ID.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fakeissuer.control.bad_tokens.token_builder import Placeholder, Row, TokenBuilder
from fakeissuer.control.jws_parts import ABSENT

_ID_TOKEN = "an ID token is for the client, whatever its audience"  # noqa: S105  # a sentence
_REFRESH_TOKEN = "a refresh token is for the token endpoint, whatever its audience"  # noqa: S105  # a sentence
_LOGOUT_TOKEN = "a logout token ends a session and grants nothing"  # noqa: S105  # a sentence
_AUTHORIZATION_RESPONSE = "an authorization response is for the client"
_MARK_TEXT = "the name of the token's kind is a text"

_HASH = "LMtFKMLYeFeziNtx9PJWHA"
_SESSION = "a7a51738-3e8b-4b88-9ff1-a17ed56aa87a"
_BACKCHANNEL_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
_SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
_SIGN_IN = {"auth_time": Placeholder.NOW, "nonce": "n-0S6_WzA2Mj", "acr": "1", "sid": _SESSION}
_PROFILE = {"name": "Alice Adams", "preferred_username": "alice@example.com", "email": "alice@example.com"}
_PINGAM = {"auditTrackingId": f"{_SESSION}-5840", "realm": "/alpha", "azp": Placeholder.AUDIENCE}


def _row(name: str, breaks: str, claims: Mapping[str, Any]) -> Row:
    return Row(name, breaks, partial(_jwt, claims))


def _jwt(claims: Mapping[str, Any], builder: TokenBuilder) -> str:
    """Return a JWT without ``typ`` in the header, or with ``JWT``, which say nothing about its kind."""
    return builder.jwt(claims)


def _userinfo(builder: TokenBuilder) -> str:
    """Return a signed userinfo response, which has no expiration (OpenID Connect Core 1.0 section 5.3.2)."""
    return builder.token(claims=builder.claims(exp=ABSENT, cid=ABSENT, scp=ABSENT, email_verified=True, **_PROFILE))


_ID_TOKENS: dict[str, dict[str, Any]] = {
    "auth0": {"at_hash": _HASH, "nonce": "n-0S6_WzA2Mj", "sid": _SESSION, "updated_at": "2026-11-28T10:00:00.000Z"},
    "authentik": {**_SIGN_IN, **_PROFILE, "at_hash": _HASH, "c_hash": _HASH, "amr": ["pwd"], "groups": ["Everyone"]},
    "entra": {**_PROFILE, "ver": "2.0", "c_hash": _HASH, "nonce": "678910", "oid": _SESSION, "tid": _SESSION},
    "financial-grade": {**_SIGN_IN, "s_hash": _HASH},
    "native-sso": {**_SIGN_IN, "ds_hash": _HASH},
    "cognito": {**_PROFILE, "token_use": "id", "cognito:username": "alice", "event_id": _SESSION},
    "keycloak": {**_SIGN_IN, **_PROFILE, "typ": "ID", "azp": Placeholder.AUDIENCE},
    "keycloak-serialized": {**_SIGN_IN, "typ": "Serialized-ID", "azp": Placeholder.AUDIENCE},
    "pingam": {**_PINGAM, "tokenName": "id_token", "auth_time": Placeholder.NOW},
    "curity": {"purpose": "id", "acr": "acr:html-form", "delegation_id": _SESSION, "azp": Placeholder.AUDIENCE},
    "ciba": {**_SIGN_IN, "urn:openid:params:jwt:claim:auth_req_id": "1c266114-a1be-4252-8ad1-04986c5b9ac1"},
    "token-type": {**_SIGN_IN, "token_type": "id_token"},
    "token-type-uri": {**_SIGN_IN, "token_type": "urn:ietf:params:oauth:token-type:id_token"},
}
_REFRESH_TOKENS: dict[str, dict[str, Any]] = {
    "keycloak": {"typ": "Refresh", "azp": Placeholder.AUDIENCE, "scope": "openid api:read", "sid": _SESSION},
    "keycloak-offline": {"typ": "Offline", "azp": Placeholder.AUDIENCE, "scope": "openid offline_access api:read"},
    "casdoor": {"tokenType": "refresh-token", "azp": Placeholder.AUDIENCE, "scope": "api:read"},
    "casdoor-custom": {"tokenType": "access-token", "TokenType": "refresh-token", "scope": "api:read"},
    "pingam": {**_PINGAM, "tokenName": "refresh_token", "scope": ["api:read"]},
    "curity": {"purpose": "refresh_token", "scope": "api:read", "client_id": Placeholder.AUDIENCE},
    "simplejwt": {"token_type": "refresh", "user_id": "1"},
    "token-use": {"token_use": "refresh", "scope": "api:read", "client_id": Placeholder.AUDIENCE},
    "token-type": {"token_type": "refresh_token", "scope": "api:read", "client_id": Placeholder.AUDIENCE},
}
_AUTHORIZATION_RESPONSES: dict[str, dict[str, Any]] = {
    "code": {"code": "PyyFaux2o7Q0YfXBU32jhw.5FXSQpvr8akv9CeRDSd0QA", "state": "S8NJ7uqk5fY4EjNvP_G_FtyJu6pUsvH9"},
    "token": {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "bearer", "expires_in": 3600, "state": "af0if"},
    "id-token": {"id_token": "eyJhbGciOiJub25lIn0.e30.", "state": "af0ifjsldkj"},
    "error": {"error": "access_denied", "error_description": "The user declined.", "state": "af0ifjsldkj"},
}

ROWS = (
    *(_row(f"id-token-of-{name}", _ID_TOKEN, claims) for name, claims in _ID_TOKENS.items()),
    *(_row(f"refresh-token-of-{name}", _REFRESH_TOKEN, claims) for name, claims in _REFRESH_TOKENS.items()),
    _row("logout-token", _LOGOUT_TOKEN, {"events": {_BACKCHANNEL_LOGOUT: {}}, "sid": _SESSION}),
    _row("logout-token-of-keycloak", _LOGOUT_TOKEN, {"typ": "Logout", "sid": _SESSION}),
    _row("security-event", "a security event grants nothing", {"events": {_SESSION_REVOKED: {}}, "txn": "8675309"}),
    *(
        _row(f"jarm-{name}", _AUTHORIZATION_RESPONSE, {"sub": None, **claims})
        for name, claims in _AUTHORIZATION_RESPONSES.items()
    ),
    _row(
        "introspection-response",
        "an introspection response is for the resource server that requested it",
        {"token_introspection": {"active": True, "scope": "api:read", "sub": "alice@example.com"}},
    ),
    Row("userinfo-response", "exp is there, which a signed userinfo response lacks", _userinfo),
    *(
        _row(f"mark-{name.replace('_', '-')}-list", _MARK_TEXT, {name: [value]})
        for name, value in (("typ", "Bearer"), ("token_use", "access"))
    ),
)
