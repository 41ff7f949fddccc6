"""Minting: any token that a test describes, without an OAuth flow."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from fakeissuer.control import unusual_keys
from fakeissuer.control.mint_request import FORGED, MintedToken, MintRequest
from fakeissuer.errors import InvalidRequestError
from fakeissuer.jose import raw_jws
from fakeissuer.model.claim_templates import custom_claims
from fakeissuer.model.claims import (
    ID_TOKEN_LIFETIME_S,
    Claims,
    Grant,
    apply_changes,
    refresh_lifetime_s,
)
from fakeissuer.model.identifiers import new_grant_id, new_refresh_token_id, random_text
from fakeissuer.model.servers import Server
from fakeissuer.model.users import User
from fakeissuer.oauth.signing import jose_header, token_key
from fakeissuer.state.seed import SERVICE_APP, WEB_APP
from fakeissuer.state.state import IssuerState
from fakeissuer.state.token_store import IssuedToken

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey


def mint(state: IssuerState, request: MintRequest, requested_url: str | None = None) -> MintedToken:
    """Return the token that the request describes, and store it as issued unless it is forged.

    Raises:
        InvalidRequestError: the server, key or refresh token does not exist, or the key cannot sign with the algorithm.
        NotFoundError: there is no key with that kid.
    """
    server = state.registry.server(request.server)
    issuer = state.urls.issuer(server, requested_url)
    if request.kind == "refresh":
        return _mint_refresh_token(state, request, server, issuer)
    if request.kind == "id":
        user = _user(state, request)
        grant = _grant(state, request, server, issuer, user)
        claims = state.profile.id_token_claims(grant, user)
    else:
        user_or_none = None if _is_client_itself(state, request) else _user(state, request)
        grant = _grant(state, request, server, issuer, user_or_none)
        claims = state.profile.access_token_claims(grant)
    if request.aud is not None:
        claims["aud"] = request.aud
    claims = apply_changes(claims, request.claims)
    token, header = (random_text(), {}) if request.opaque else _sign(state, request, server, claims)
    if not request.is_forged:
        state.store.add(token, IssuedToken.of(grant, request.kind, claims))
    return MintedToken(token=token, header=header, claims=claims)


def _is_client_itself(state: IssuerState, request: MintRequest) -> bool:
    return request.sub in (None, request.cid) or (request.cid is None and request.sub in state.registry.clients)


def _user(state: IssuerState, request: MintRequest) -> User:
    return state.registry.user(request.sub or next(iter(state.registry.users), "alice@example.com"))


def _grant(state: IssuerState, request: MintRequest, server: Server, issuer: str, user: User | None) -> Grant:
    full_lifetime_s = ID_TOKEN_LIFETIME_S if request.kind == "id" else server.access_token_lifetime
    lifetime_s = full_lifetime_s if request.expires_in is None else request.expires_in
    default_scopes = (
        ("openid", "profile", "email", *server.default_scopes) if request.kind == "id" else server.default_scopes
    )
    now = int(state.clock.now())
    is_expired = lifetime_s <= 0
    client_id = request.cid or (WEB_APP if user else request.sub or SERVICE_APP)
    client = state.registry.clients.get(client_id)
    scopes = default_scopes if request.scopes is None else request.scopes
    return Grant(
        server=server,
        issuer=issuer,
        client_id=client_id,
        scopes=scopes,
        user=user,
        # An expired token has the usual lifetime, so that nothing but its age is wrong.
        issued_at=now + lifetime_s - full_lifetime_s if is_expired else now,
        lifetime_s=full_lifetime_s if is_expired else lifetime_s,
        refresh_token_id=_refresh_token_id(state, request),
        key_thumbprint=request.dpop_jkt,
        custom_claims=custom_claims(server, client, user, scopes),
        custom_id_token_claims=custom_claims(server, client, user, scopes, "id_token_claims"),
    )


def _refresh_token_id(state: IssuerState, request: MintRequest) -> str | None:
    if request.refresh_token is None:
        return None
    issued = state.store.find(request.refresh_token)
    if issued is None or issued.kind != "refresh":
        raise InvalidRequestError("The refresh_token was not issued here; mint one with kind refresh first.")
    return issued.refresh_token_id


def _sign(state: IssuerState, request: MintRequest, server: Server, claims: Claims) -> tuple[str, dict[str, Any]]:
    from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

    alg = request.alg or "RS256"
    key = _key(state, request, server)
    header = apply_changes(jose_header(state.profile, server, request.kind, key, alg), request.header)
    sign: raw_jws.Signer
    if alg == "none":
        sign = raw_jws.no_signature
    elif alg == "HS256":
        sign = raw_jws.hs256(keys.public_pem(key))
    elif request.header:  # jwcrypto would act on, or reject, an unusual header
        sign = partial(keys.sign_input, key, alg)
    else:
        return keys.sign(key, header, keys.to_payload(claims)), header
    return raw_jws.encode_compact(keys.to_payload(header), keys.to_payload(claims), sign), header


def _key(state: IssuerState, request: MintRequest, server: Server) -> SigningKey:
    ring = state.key_rings.for_server(server)
    alg = "RS256" if request.alg in (None, *FORGED) else str(request.alg)
    if request.key is not None:
        return unusual_keys.resolve_key(ring, request.key, alg)
    if alg != "RS256":
        return unusual_keys.key_for_algorithm(ring, alg)
    return token_key(state.profile, ring, request.kind)


def _mint_refresh_token(state: IssuerState, request: MintRequest, server: Server, issuer: str) -> MintedToken:
    user = _user(state, request)
    grant = _grant(state, request, server, issuer, user)
    lifetime_s = refresh_lifetime_s(grant) if request.expires_in is None else request.expires_in
    claims = apply_changes({"exp": int(state.clock.now()) + lifetime_s, "sub": user.login}, request.claims)
    grant = replace(
        grant,
        lifetime_s=server.access_token_lifetime,
        refresh_token_id=new_refresh_token_id(),
        grant_id=new_grant_id(),
    )
    token = random_text()
    state.store.add(token, IssuedToken.of_refresh_token(grant, claims))
    return MintedToken(token=token, header={}, claims=claims)
