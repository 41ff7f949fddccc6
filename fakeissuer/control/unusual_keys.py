"""Keys that Okta does not have: each is added to the key set of its server when a token is first minted with it.

Until then, and again after a reset, the key set contains only the keys that Okta would publish.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args

from fakeissuer.errors import InvalidRequestError
from fakeissuer.state.key_ring import KeyRing, StatusName

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

_Jwk = dict[str, Any]

UNUSUAL_KEYS: dict[str, tuple[str, Callable[[_Jwk], _Jwk]]] = {
    "small": ("RSA-1024", lambda public: public),
    "enc": ("RSA", lambda public: {**public, "use": "enc"}),
    "wrong-key-ops": ("RSA", lambda public: {**public, "key_ops": ["encrypt"]}),
    "unknown-kty": ("RSA", lambda public: {**public, "kty": "AKP"}),
    "same-kid": ("RSA", lambda public: public),
}
"""The kind of each key, and how the key set misrepresents it; ``same-kid`` follows another key with the same kid."""


def resolve_key(ring: KeyRing, name: str, alg: str) -> SigningKey:
    """Return the key that a mint request names: a status, ``unpublished``, an unusual key, or a kid.

    Raises:
        NotFoundError: there is no such key.
        InvalidRequestError: the key cannot sign with the algorithm.
    """
    if name in get_args(StatusName):
        key = ring.signing_key(next(status for status in get_args(StatusName) if status == name))
    elif name in UNUSUAL_KEYS:
        key = ring.auxiliary_key(name, kind=UNUSUAL_KEYS[name][0])
    else:
        key = ring.auxiliary_key(name) if name == "unpublished" else ring.find(name)
    if not key.can_sign(alg):
        raise InvalidRequestError(f"The key {name!r} is of kind {key.kind} and cannot sign with {alg}.")
    if name in UNUSUAL_KEYS:
        _publish(ring, name, key)
    return key


def key_for_algorithm(ring: KeyRing, alg: str) -> SigningKey:
    """Return a published key for an algorithm that Okta does not sign with."""
    from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

    key = ring.auxiliary_key(alg, alg=alg, kind=keys.KIND_OF_ALGORITHM[alg])
    ring.publish_extra(alg, key.public)
    return key


def _publish(ring: KeyRing, name: str, key: SigningKey) -> None:
    if name == "same-kid":
        ring.publish_extra(f"{name}, first", {**ring.auxiliary_key(f"{name}, first").public, "kid": key.kid})
    ring.publish_extra(name, UNUSUAL_KEYS[name][1](key.public))
