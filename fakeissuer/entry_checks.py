"""What an entry may hold: public keys, claims that fit into JSON and are not the issuer's own, names that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fakeissuer.moments import moment_of

KeySet = dict[str, list[dict[str, Any]]]
"""A JWK Set."""

PRIVATE_KEY_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of a JWK that are secret (RFC 7518 section 6)."""

NEEDED_KEY_MEMBERS = {"RSA": frozenset({"n", "e"}), "EC": frozenset({"crv", "x", "y"})}
"""What a public key is made of (RFC 7518 sections 6.2.1 and 6.3.1); members that nobody knows are ignored."""

OF_ANY_KEY = frozenset({"kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256"})
PUBLIC_KEY_MEMBERS = {kty: OF_ANY_KEY | needed for kty, needed in NEEDED_KEY_MEMBERS.items()}
"""The members of a public JWK by its kty (RFC 7517 section 4, RFC 7518 sections 6.2.1 and 6.3.1)."""

PROTOCOL_CLAIMS = frozenset(
    (
        "ver",
        "jti",
        "iss",
        "aud",
        "iat",
        "exp",
        "nbf",
        "cnf",
        "cid",
        "uid",
        "scp",
        "scope",
        "auth_time",
        "sub",
        "acr",
        "client_id",
    )
)
"""The claims that the issuer answers for itself."""

ID_TOKEN_CLAIMS = PROTOCOL_CLAIMS | {"amr", "idp", "nonce", "azp", "sid", "at_hash", "c_hash", "ds_hash"}
"""Those that it answers for in an ID token."""


def check_custom_claims(claims: Mapping[str, Any], id_token_claims: Mapping[str, Any]) -> None:
    """Check that none of these claims is one that the issuer answers for, and that all can stand in a token.

    Raises:
        ValueError: one is, and the control plane mints whatever a test wants there; or a value has no place in JSON.
    """
    for member, named, answered in (
        ("claims", claims, PROTOCOL_CLAIMS),
        ("id_token_claims", id_token_claims, ID_TOKEN_CLAIMS),
    ):
        if taken := answered & named.keys():
            raise ValueError(f"{member} may not name {', '.join(sorted(taken))}; mint a token for that")
        _check_fits_json(member, named)


def check_public_keys(member: str, jwks: KeySet) -> None:
    """Check that the member of this name is a JWK Set of public keys (RFC 7517 section 5), one at least.

    Raises:
        ValueError: it is none, or holds what only the client may know; whatever is registered can be read again.
    """
    if jwks.keys() != {"keys"}:
        raise ValueError(f"{member} has one member, keys, the list of the public keys")
    if not jwks["keys"]:
        raise ValueError(f"{member} has no key; expected one public key at least")
    for key in jwks["keys"]:
        kty = key.get("kty")
        if kty not in ("RSA", "EC"):
            raise ValueError(f"each key of {member} has the kty RSA or EC")
        if PRIVATE_KEY_MEMBERS & key.keys():
            raise ValueError(f"{member} holds public keys; one of these is private")
        if missing := NEEDED_KEY_MEMBERS[kty] - key.keys():
            raise ValueError(f"a key of {member} lacks {', '.join(sorted(missing))}, which an {kty} key has")


def check_among(member: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Check that all names in the member of this name are known ones.

    Raises:
        ValueError: one is not; the known ones are named.
    """
    known = tuple(known)
    for name in names:
        if name not in known:
            raise ValueError(f"{member} names {name!r}, which there is not; expected some of {', '.join(known)}")


def _check_fits_json(place: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _check_fits_json(f"{place}.{name}", inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_fits_json(place, inner)
    elif not (value is None or isinstance(value, bool | str) or moment_of(value) is not None):
        # TOML has dates and times, infinity, and integers without end.
        what = "number that is infinite or too large" if isinstance(value, int | float) else type(value).__name__
        raise ValueError(f"{place} holds a {what}; expected what JSON can hold: texts, finite numbers, lists, objects")
