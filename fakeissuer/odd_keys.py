"""Keys beside Okta's own, for tests: each joins the key set of its server when a token is first minted with it.

Until then, and again after a reset, the key set holds nothing but what Okta would publish.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

from fakeissuer.key_ring import KeyRing, StatusName

if TYPE_CHECKING:
    from fakeissuer.jose import SigningKey

ODD_KEYS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "small": ("RSA-1024", lambda public: public),
    "enc": ("RSA", lambda public: {**public, "use": "enc"}),
    "wrong-key-ops": ("RSA", lambda public: {**public, "key_ops": ["encrypt"]}),
    "unknown-kty": ("RSA", lambda public: {**public, "kty": "AKP"}),
}
"""By name: the kind of key, and how the key set misrepresents it."""

SAME_KID = "same-kid"
"""Two keys under one kid; the token is signed by the second."""


def key_called(ring: KeyRing, name: str) -> SigningKey:
    """Return the key that a mint request names: a status, `unpublished`, one of the odd keys, or a kid.

    Raises:
        NotThere: it is none of these.
    """
    for status in get_args(StatusName):
        if name == status:
            return ring.signing_key(status)
    if name == "unpublished":
        return ring.spare_key(name)
    if name == SAME_KID:
        return _two_of_one_kid(ring)
    if name in ODD_KEYS:
        kind, misrepresent = ODD_KEYS[name]
        key = ring.spare_key(name, kind=kind)
        ring.invite(name, misrepresent(key.public))
        return key
    return ring.find(name)


def key_for_algorithm(ring: KeyRing, alg: str) -> SigningKey:
    """Return a key for an algorithm that Okta does not sign with, published like any other."""
    from fakeissuer import jose  # noqa: PLC0415 - loaded with the first key, see jose

    key = ring.spare_key(alg, alg=alg, kind=jose.KIND_OF_ALGORITHM[alg])
    ring.invite(alg, key.public)
    return key


def _two_of_one_kid(ring: KeyRing) -> SigningKey:
    first, second = ring.spare_key(f"{SAME_KID}-1"), ring.spare_key(f"{SAME_KID}-2")
    ring.invite(f"{SAME_KID}-1", {**first.public, "kid": second.kid})
    ring.invite(f"{SAME_KID}-2", second.public)
    return second
