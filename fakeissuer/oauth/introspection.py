"""Introspection responses (RFC 7662 section 2.2), made from the store of issued tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fakeissuer.model.claims import SIGNING_ALGORITHM, Claims
from fakeissuer.model.servers import Server
from fakeissuer.oauth.dpop import bound_key
from fakeissuer.profiles.profile import IntrospectedToken
from fakeissuer.state.state import IssuerState
from fakeissuer.state.token_store import IssuedToken

Introspection = dict[str, Any]

_INACTIVE: Introspection = {"active": False}
"""The response for a token that is unknown, expired, revoked, malformed or of another server."""

_JWT_TYPE = "token-introspection+jwt"
JWT_MEDIA_TYPE = f"application/{_JWT_TYPE}"

_HIDDEN_CLAIMS = frozenset({"ver", "cid", "scp", "auth_time"})
"""Claims of an access token that Okta omits or renames."""

_RESERVED_MEMBERS = frozenset({"active", "scope", "username", "token_type", "client_id"})
"""Members that the issuer itself sets; claims of these names are not copied."""


def introspect(state: IssuerState, server: Server, issuer: str, caller_id: str, token: str) -> Introspection:
    """Return the introspection response for a token to a client, members in the order of the profile's server."""
    issued = state.store.find(token)
    if issued is None or issued.server != server.id or not issued.is_active(state.clock.now()):
        return dict(_INACTIVE)
    if state.profile.introspection is not None:
        return _foreign_response(state.profile.introspection, issued, caller_id)
    if issued.kind in ("refresh", "device_secret"):
        return _refresh_token_response(issued)
    if issued.claims.get("iss") != issuer:
        return dict(_INACTIVE)
    if issued.kind == "id":
        return {"active": True} | {name: value for name, value in issued.claims.items() if name != "active"}
    return _access_token_response(
        issued, names_client_as_user=state.profile.variants.introspection_names_client_as_user
    )


def _foreign_response(
    respond: Callable[[IntrospectedToken], Claims | None], issued: IssuedToken, caller_id: str
) -> Introspection:
    token = IntrospectedToken(
        kind=issued.kind,
        claims=issued.claims,
        scopes=issued.scopes,
        username=issued.username,
        client_id=issued.client_id,
        caller_id=caller_id,
    )
    members = respond(token)
    return dict(_INACTIVE) if members is None else {"active": True, **members}


def signed_introspection(
    state: IssuerState, server: Server, issuer: str, client_id: str, response: Introspection
) -> str:
    """Return a response as a JWT for a client, signed with the server's ACTIVE key (RFC 9701 section 5)."""
    from fakeissuer.jose import keys  # noqa: PLC0415  # loading jwcrypto takes longer than the rest of the start

    key = state.key_rings.for_server(server).signing_key()
    claims = {"iss": issuer, "aud": client_id, "iat": int(state.clock.now()), "token_introspection": response}
    return keys.sign(key, key.jose_header(SIGNING_ALGORITHM, _JWT_TYPE), keys.to_payload(claims))


def _access_token_response(issued: IssuedToken, *, names_client_as_user: bool) -> Introspection:
    claims = dict(issued.claims)
    response: Introspection = {"active": True}
    # In the strict profile the claims already have the names of the introspection members.
    if "scp" in claims or "scope" in claims:
        response["scope"] = _words(claims.get("scp", claims.get("scope")))
    if issued.username is not None or names_client_as_user:
        response["username"] = issued.username or issued.client_id
    copied_claims = ("exp", "iat", "sub", "aud", "iss", "jti")
    response |= {name: claims[name] for name in copied_claims if name in claims}
    token_type = "Bearer" if bound_key(claims) is None else "DPoP"
    response |= {"token_type": token_type, "client_id": claims.get("cid", claims.get("client_id", issued.client_id))}
    if "uid" in claims:
        response["uid"] = claims["uid"]
    return response | {name: value for name, value in claims.items() if name not in _HIDDEN_CLAIMS | _RESERVED_MEMBERS}


def _refresh_token_response(issued: IssuedToken) -> Introspection:
    return {
        "active": True,
        "token_type": "Bearer",
        "scope": " ".join(issued.scopes),
        "client_id": issued.client_id,
        "username": issued.username,
        "exp": issued.claims["exp"],
        "sub": issued.claims.get("sub"),
        "device_id": issued.device_id,
    }


def _words(scopes: object) -> object:
    return " ".join(map(str, scopes)) if isinstance(scopes, list) else scopes
