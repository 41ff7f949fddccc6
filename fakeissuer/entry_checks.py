"""What an entry may not hold: a private key, a claim that is the issuer's own, a redirect URI that runs as a script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

KeySet = dict[str, list[dict[str, Any]]]
"""A JWK Set."""

PRIVATE_KEY_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of a JWK that are secret (RFC 7518 section 6)."""


SCRIPT_SCHEMES = frozenset({"javascript", "data", "vbscript"})


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
    """Check that none of these claims is one that the issuer answers for.

    Raises:
        ValueError: one is; the control plane mints whatever a test wants there.
    """
    named = {"claims": PROTOCOL_CLAIMS & claims.keys(), "id_token_claims": ID_TOKEN_CLAIMS & id_token_claims.keys()}
    for member, taken in named.items():
        if taken:
            raise ValueError(f"{member} may not name {', '.join(sorted(taken))}; mint a token for that")


def check_public_keys(jwks: KeySet) -> None:
    """Check that this is a JWK Set of public keys (RFC 7517 section 5).

    Raises:
        ValueError: it is none, or holds what only the client may know; whatever is registered can be read again.
    """
    if jwks.keys() != {"keys"}:
        raise ValueError("jwks has one member, keys, the list of the client's public keys")
    for key in jwks["keys"]:
        if key.get("kty") not in ("RSA", "EC"):
            raise ValueError("each key of jwks has the kty RSA or EC")
        if PRIVATE_KEY_MEMBERS & key.keys():
            raise ValueError("jwks holds public keys; one of these is private")


def check_redirect_uris(uris: Iterable[str]) -> None:
    """Check that none of these URIs is one that a browser would run instead of going there.

    Raises:
        ValueError: one is: whoever registers it would have a script in the place of a page.
    """
    if any(uri.partition(":")[0].lower() in SCRIPT_SCHEMES for uri in uris):
        raise ValueError("a redirect URI of redirect_uris would run as a script")
