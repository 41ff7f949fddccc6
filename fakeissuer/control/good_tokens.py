"""The catalogue of good tokens: access tokens of many issuers, which share a mark with a token that grants no access.

A rule that is too strict rejects them; the server that the catalogue of bad tokens describes accepts them all.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

from fakeissuer.control.bad_tokens.token_builder import Placeholder, TokenBuilder, builder_for
from fakeissuer.model.records import Record
from fakeissuer.state.state import IssuerState

_AUDIENCE, _NOW = Placeholder.AUDIENCE, Placeholder.NOW
_SESSION = "a7a51738-3e8b-4b88-9ff1-a17ed56aa87a"
_CLIENT = {"client_id": _AUDIENCE, "scope": "api:read"}


class GoodToken(Record, frozen=True, kw_only=True):
    """A good token, and what it has in common with a bad one."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"token"})

    name: str
    token: str
    resembles: str


class _Row(NamedTuple):
    resembles: str
    claims: dict[str, Any]
    typ: str | None = "JWT"


ROWS: dict[str, _Row] = {
    "okta-with-nonce": _Row(
        "nonce is there, as in an ID token", {"ver": 1, "cid": _AUDIENCE, "scp": ["api:read"], "nonce": "n-0S6"}, None
    ),
    "okta-without-user": _Row("sub is the client", {"ver": 1, "cid": _AUDIENCE, "scp": ["api:read"], "sub": _AUDIENCE}),
    "auth0": _Row(
        "aud names userinfo, too, and there is no client_id",
        {"aud": [_AUDIENCE, "https://tenant.example/userinfo"], "azp": _AUDIENCE, "scope": "openid api:read"},
    ),
    "auth0-rfc9068": _Row("permissions are there beside scope", {**_CLIENT, "permissions": ["api:read"]}, "at+jwt"),
    "authentik": _Row(
        "its claims are those of an ID token, except azp and uid",
        {
            "azp": _AUDIENCE, "uid": "u9Zv3", "nonce": "n-0S6", "auth_time": _NOW, "acr": "goauthentik.io/default",
            "amr": ["pwd"], "sid": _SESSION, "name": "Alice Adams", "email": "alice@example.com",
        },
    ),
    "casdoor": _Row(
        "tokenType is there, as in a refresh token, and nonce is empty",
        {"tokenType": "access-token", "nonce": "", "azp": _AUDIENCE, "scope": "api:read", "aud": [_AUDIENCE]},
    ),
    "cloudflare": _Row(
        "type and identity_nonce are there", {"type": "app", "identity_nonce": "6ei6", "aud": [_AUDIENCE]}
    ),
    "cognito": _Row(
        "token_use is there, as in an ID token, and event_id",
        {**_CLIENT, "token_use": "access", "event_id": _SESSION, "username": "alice", "version": 2, "auth_time": _NOW},
        None,
    ),
    "curity": _Row("purpose is there", {"purpose": "access_token", "delegationId": _SESSION, "scope": "api:read"}),
    "duende-service": _Row("sub is absent", {**_CLIENT, "sub": None, "scope": ["api:read"]}, "at+jwt"),
    "duende-user": _Row(
        "amr and idp are there, as in an ID token",
        {**_CLIENT, "scope": ["api:read"], "amr": ["pwd"], "idp": "local", "auth_time": _NOW, "sid": "9F1"},
        "at+jwt",
    ),
    "entra-v1": _Row(
        "auth claims of the sign-in are there",
        {"ver": "1.0", "appid": _AUDIENCE, "appidacr": "1", "acr": "1", "amr": ["pwd"], "scp": "api:read"},
    ),
    "entra-v2": _Row(
        "the profile of the user is there",
        {
            "ver": "2.0", "azp": _AUDIENCE, "azpacr": "0", "scp": "api:read", "oid": _SESSION, "tid": _SESSION,
            "name": "Alice Adams", "preferred_username": "alice@example.com", "uti": "3Hm2", "rh": "0.AX",
        },
    ),
    "entra-application": _Row(
        "there is no scope", {"ver": "2.0", "azp": _AUDIENCE, "azpacr": "1", "roles": ["reader"], "idtyp": "app"}
    ),
    "fusionauth": _Row(
        "applicationId stands for the client",
        {"applicationId": _AUDIENCE, "roles": ["reader"], "scope": "api:read", "authenticationType": "PASSWORD"},
    ),
    "github-actions": _Row("there is no client and no scope", {"sub": "repo:o/r:ref:refs/heads/main", "ref": "main"}),
    "hydra": _Row(
        "scp and scope are there", {**_CLIENT, "scp": ["api:read"], "aud": [_AUDIENCE], "ext": {}, "nbf": _NOW}
    ),
    "keycloak": _Row(
        "payload typ is Bearer, and nonce and sid are there",
        {
            "typ": "Bearer", "azp": _AUDIENCE, "nonce": "n-0S6", "session_state": _SESSION, "sid": _SESSION, "acr": "1",
            "auth_time": _NOW, "scope": "openid api:read", "realm_access": {"roles": ["reader"]},
        },
    ),
    "keycloak-without-user": _Row("scope is empty", {"typ": "Bearer", "azp": _AUDIENCE, "scope": "", "acr": "1"}),
    "kubernetes": _Row("there is no client and no scope", {"sub": "system:serviceaccount:default:api"}, None),
    "pingam": _Row(
        "token_type and expires_in are there, as in an authorization response",
        {
            "tokenName": "access_token", "token_type": "Bearer", "expires_in": 3600, "cts": "OAUTH2_STATELESS_GRANT",
            "grant_type": "refresh_token", "scope": ["api:read"], "nonce": "n-0S6", "auth_time": _NOW,
        },
    ),
    "simplejwt": _Row("token_type is there, as in a refresh token", {"token_type": "access", "user_id": "1"}),
    "spiffe": _Row("the type names no kind", {"sub": "spiffe://example.org/api", "aud": [_AUDIENCE]}, "JOSE"),
    "supabase": _Row(
        "amr and session_id are there", {"session_id": _SESSION, "aal": "aal1", "amr": [{"method": "otp"}]}
    ),
    "wso2": _Row(
        "binding_type is there", {**_CLIENT, "azp": _AUDIENCE, "aut": "APPLICATION", "binding_type": "cookie"}, "at+jwt"
    ),
    "custom-state": _Row(
        "state is there, as in an authorization response", {**_CLIENT, "state": "CA", "country": "US"}
    ),
    "custom-code": _Row("code is there, as in an authorization response", {**_CLIENT, "code": "12"}),
    "typ-with-prefix": _Row("the type is written in full", _CLIENT, "application/at+jwt"),
    "typ-in-upper-case": _Row("the type is in upper case", _CLIENT, "AT+JWT"),
}  # fmt: skip


def good_tokens(state: IssuerState, server_id: str = "default") -> list[GoodToken]:
    """Return a good token of each row for a server.

    Raises:
        InvalidRequestError: there is no such server, or it is the org server, whose tokens only Okta can validate.
    """
    builder = builder_for(state, server_id)
    return [_good_token(name, row, builder) for name, row in ROWS.items()]


def _good_token(name: str, row: _Row, builder: TokenBuilder) -> GoodToken:
    return GoodToken(name=name, token=builder.jwt(row.claims, row.typ), resembles=row.resembles)
