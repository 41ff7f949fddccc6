"""Checks the public keys that a client registers (RFC 7517 section 4)."""

from __future__ import annotations

from typing import Any

KeySet = dict[str, list[dict[str, Any]]]
"""A JWK Set."""

PRIVATE_KEY_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
"""The members of a JWK that are secret (RFC 7518 section 6)."""

_REQUIRED_KEY_MEMBERS = {"RSA": frozenset({"n", "e"}), "EC": frozenset({"crv", "x", "y"})}
"""The required members of a public key (RFC 7518 sections 6.2.1 and 6.3.1)."""

_COMMON_KEY_MEMBERS = frozenset({"kty", "use", "key_ops", "alg", "kid", "x5u", "x5c", "x5t", "x5t#S256"})
PUBLIC_KEY_MEMBERS = {kty: _COMMON_KEY_MEMBERS | needed for kty, needed in _REQUIRED_KEY_MEMBERS.items()}
"""The members of a public JWK by its kty (RFC 7517 section 4, RFC 7518 sections 6.2.1 and 6.3.1)."""


def check_public_keys(member: str, jwks: KeySet) -> None:
    """Check that a member is a JWK Set with at least one public key and no private keys (RFC 7517 section 5).

    Raises:
        ValueError: the member is not such a key set; private keys are rejected because registered data can be read.
    """
    if jwks.keys() != {"keys"}:
        raise ValueError(f"{member} must have exactly one member, keys, the list of public keys")
    if not jwks["keys"]:
        raise ValueError(f"{member} is empty; expected at least one public key")
    for key in jwks["keys"]:
        kty = key.get("kty")
        if kty not in ("RSA", "EC"):
            raise ValueError(f"each key of {member} must have the kty RSA or EC")
        if PRIVATE_KEY_MEMBERS & key.keys():
            raise ValueError(f"{member} contains a private key; expected public keys")
        if missing := _REQUIRED_KEY_MEMBERS[kty] - key.keys():
            raise ValueError(f"a key of {member} lacks {', '.join(sorted(missing))}, which an {kty} key needs")
