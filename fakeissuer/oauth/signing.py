"""Which key signs a token, and what its JOSE header says (RFC 7515 section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fakeissuer.model.claims import ORG_TOKEN_TYPE
from fakeissuer.model.servers import Server
from fakeissuer.profiles.profile import Profile
from fakeissuer.state.key_ring import KeyRing
from fakeissuer.state.token_store import TokenKind

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey


def jose_header(profile: Profile, server: Server, kind: TokenKind, key: SigningKey, alg: str) -> dict[str, Any]:
    """Return the JOSE header of a server's tokens of a kind.

    Okta's org server issues access tokens for Okta itself, which have a type of their own.
    """
    typ, members = profile.id_token_typ, profile.id_token_key_members
    if kind == "access":
        typ, members = profile.typ, profile.access_token_key_members
        if server.is_org and not profile.is_strict:
            typ = ORG_TOKEN_TYPE
    header = dict.fromkeys(members, key.kid) | {"alg": alg}
    return header if typ is None else {**header, "typ": typ}


def token_key(profile: Profile, ring: KeyRing, kind: TokenKind) -> SigningKey:
    """Return the key that signs tokens of a kind."""
    return ring.access_token_key() if kind == "access" else ring.signing_key(profile.id_token_key)
