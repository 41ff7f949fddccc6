"""Minting: any token that a test can name, without a flow."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from fakeissuer import handmade, odd_keys
from fakeissuer.errors import Unacceptable
from fakeissuer.identifiers import new_refresh_token_id, random_text
from fakeissuer.records import Record
from fakeissuer.seed import SERVICE_APP, WEB_APP
from fakeissuer.state import State
from fakeissuer.store import IssuedToken, TokenKind
from fakeissuer.tokens import (
    ID_TOKEN_LIFETIME_S,
    REFRESH_IDLE_LIFETIME_S,
    Claims,
    Grant,
    access_token_claims,
    changed,
    id_token_claims,
    jose_header,
    to_payload,
)

if TYPE_CHECKING:
    from fakeissuer.jose import SigningKey

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none"
]
FORGED: tuple[Algorithm, ...] = ("HS256", "none")
"""What needs no private key: `HS256` is keyed with the public key, `none` has no signature."""

TEN_YEARS_S = 315_360_000


class MintRequest(Record, frozen=True, kw_only=True):
    """What the token is to be; all of it may be left out.

    `expires_in` is in seconds and may be negative. `scp` is a list, or a text whose words are taken. `claims` and
    `header` are added last, and null takes away. `key` is a status, `unpublished`, a kid, or one of `odd_keys`.
    """

    server: str = "default"
    kind: TokenKind = "access"
    sub: str | None = None
    cid: str | None = None
    scp: list[str] | str | None = None
    aud: list[str] | str | None = None
    expires_in: Annotated[int, Meta(ge=-TEN_YEARS_S, le=TEN_YEARS_S)] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    alg: Algorithm | None = None
    key: str | None = None
    dpop_jkt: str | None = None


class Minted(Record, frozen=True, kw_only=True):
    """A token, and what is in it; a refresh token has no header, and its claims are what the store knows of it."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    header: dict[str, Any]
    claims: dict[str, Any]


def mint(state: State, request: MintRequest, requested_url: str | None = None) -> Minted:
    """Return the token that was asked for, and remember it as issued unless it is forged.

    Raises:
        Unacceptable: there is no such server or key, or the key cannot sign with that algorithm.
        NotThere: there is no key of that kid.
    """
    grant = _grant(state, request, requested_url)
    if request.kind == "refresh":
        return _mint_refresh_token(state, request, grant)
    claims = _claims(request, grant)
    token, header = _sign(state, request, grant, claims)
    if request.alg not in FORGED and request.key != "unpublished":
        state.store.add(token, _issued(request, grant, claims))
    return Minted(token=token, header=header, claims=claims)


def _grant(state: State, request: MintRequest, requested_url: str | None) -> Grant:
    server = state.directory.server(request.server)
    user_is_meant = request.kind == "id" or request.sub not in (None, request.cid)
    client_id = request.cid or (WEB_APP if user_is_meant or request.kind == "refresh" else SERVICE_APP)
    login = request.sub or next(iter(state.directory.users), "alice@example.com")
    lifetime_s = ID_TOKEN_LIFETIME_S if request.kind == "id" else server.access_token_lifetime
    if request.expires_in is not None:
        lifetime_s = request.expires_in
    now = int(state.clock.now())
    return Grant(
        server=server,
        issuer=state.addresses.issuer(server, requested_url),
        client_id=client_id,
        scopes=_scopes(request, server.default_scopes),
        user=state.directory.user(login) if user_is_meant or request.kind == "refresh" else None,
        # A token that has expired already was issued before it expired: nothing but its age is wrong with it.
        issued_at=now if lifetime_s > 0 else now + lifetime_s - server.access_token_lifetime,
        lifetime_s=lifetime_s if lifetime_s > 0 else server.access_token_lifetime,
        key_thumbprint=request.dpop_jkt,
    )


def _scopes(request: MintRequest, default: tuple[str, ...]) -> tuple[str, ...]:
    if request.scp is None:
        return ("openid", *default) if request.kind == "id" else default
    return tuple(request.scp.split() if isinstance(request.scp, str) else request.scp)


def _claims(request: MintRequest, grant: Grant) -> Claims:
    if request.kind == "id":
        assert grant.user is not None  # noqa: S101 - for the type checker: _grant sees to it
        claims = id_token_claims(grant, grant.user)
    else:
        claims = access_token_claims(grant)
    if request.aud is not None:
        claims["aud"] = request.aud
    return changed(claims, request.claims)


def _sign(state: State, request: MintRequest, grant: Grant, claims: Claims) -> tuple[str, dict[str, Any]]:
    from fakeissuer import jose  # noqa: PLC0415 - loaded with the first key, see jose

    alg = request.alg or "RS256"
    key = _key(state, request, grant, alg)
    is_org_access_token = grant.server.is_org and request.kind == "access"
    header = changed(jose_header(key, alg, is_org_access_token=is_org_access_token), request.header)
    payload = to_payload(claims)
    if alg == "none":
        return handmade.assemble(to_payload(header), payload, handmade.no_signature), header
    if alg == "HS256":
        mac = partial(jose.mac_input, jose.public_pem(key), alg)
        return handmade.assemble(to_payload(header), payload, mac), header
    if request.header:  # whatever it says, the library is not to act on it
        return handmade.assemble(to_payload(header), payload, partial(jose.sign_input, key, alg)), header
    return jose.sign(key, header, payload), header


def _key(state: State, request: MintRequest, grant: Grant, alg: str) -> SigningKey:
    ring = state.ring(grant.server)
    name = request.key
    if alg in FORGED:
        alg = "RS256"
    if name is None:
        return ring.signing_key() if alg == "RS256" else odd_keys.key_for_algorithm(ring, alg)
    key = odd_keys.key_called(ring, name)
    if not key.can_sign(alg):
        raise Unacceptable(f"The key {name!r} is of kind {key.kind} and cannot sign with {alg}.")
    return key


def _issued(request: MintRequest, grant: Grant, claims: Claims) -> IssuedToken:
    return IssuedToken(
        kind=request.kind,
        server=grant.server.id,
        client_id=grant.client_id,
        username=grant.user.login if grant.user else None,
        scopes=grant.scopes,
        claims=claims,
    )


def _mint_refresh_token(state: State, request: MintRequest, grant: Grant) -> Minted:
    lifetime_s = REFRESH_IDLE_LIFETIME_S if request.expires_in is None else request.expires_in
    claims = {"exp": int(state.clock.now()) + lifetime_s, "sub": grant.user.login if grant.user else grant.client_id}
    claims = changed(claims, request.claims)
    issued = _issued(request, grant, claims)
    issued.refresh_token_id = new_refresh_token_id()
    token = random_text()
    state.store.add(token, issued)
    return Minted(token=token, header={}, claims=claims)
