"""Key pairs: generation, public members, signatures (RFC 7515, RFC 7517); the only module that uses jwcrypto.

Importing this takes longer than starting the rest of the server, so import it when the first key is generated.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jwcrypto.common import JWException
from jwcrypto.jwa import JWA
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from fakeissuer.jose.public_keys import PUBLIC_KEY_MEMBERS

_KINDS: dict[str, dict[str, Any]] = {
    "RSA": {"kty": "RSA", "size": 2048},
    "RSA-1024": {"kty": "RSA", "size": 1024},
    "P-256": {"kty": "EC", "crv": "P-256"},
    "P-384": {"kty": "EC", "crv": "P-384"},
    "P-521": {"kty": "EC", "crv": "P-521"},
    "Ed25519": {"kty": "OKP", "crv": "Ed25519"},
}
"""The kinds of key, with jwcrypto's arguments."""

KIND_OF_ALGORITHM = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "EdDSA": "Ed25519",
}
"""The kind of key that each algorithm signs with (RFC 7518 section 3.1, RFC 8037 section 3.1)."""

KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC"}
"""The ``kty`` that the algorithms of each family need."""

_UNKNOWN_KEY_FORMAT = "not a private key that this program wrote"


@dataclass(frozen=True)
class SigningKey:
    """A key pair with its kid; only ``public`` may be published."""

    kid: str
    alg: str
    kind: str
    public: dict[str, Any]
    private: JWK = field(repr=False)

    def can_sign(self, alg: str) -> bool:
        """Return whether the algorithm can use the key."""
        return self.kind.split("-1024")[0] == KIND_OF_ALGORITHM.get(alg)

    def jose_header(self, alg: str, typ: str | None = None) -> dict[str, Any]:
        """Return the JOSE header of a token signed with this key: ``kid``, ``alg``, and ``typ`` unless it is None."""
        header = {"kid": self.kid, "alg": alg}
        return header if typ is None else {**header, "typ": typ}


def create_key(kid: str, alg: str, kind: str) -> SigningKey:
    """Return a new key pair.

    RSA takes 35 to 110 ms and holds the interpreter lock, so threads do not help; generate keys on first use.
    """
    return _named(JWK.generate(**_KINDS[kind]), kid, alg, kind)


def load_key(members: Mapping[str, str]) -> SigningKey:
    """Return the key pair that ``dump_key`` wrote.

    Raises:
        ValueError: the members are not those of a private key of a known kind.
    """
    jwk = dict(members)
    try:
        kid, alg, kind = jwk.pop("kid"), jwk.pop("alg"), jwk.pop("kind")
        key = JWK(**jwk)
    except (JWException, KeyError, TypeError, ValueError) as exc:
        # jwcrypto's messages may quote parts of the private key.
        raise ValueError(_UNKNOWN_KEY_FORMAT) from exc
    if kind not in _KINDS or alg not in KIND_OF_ALGORITHM or "d" not in jwk:
        raise ValueError(_UNKNOWN_KEY_FORMAT)
    return _named(key, kid, alg, kind)


def dump_key(key: SigningKey) -> dict[str, str]:
    """Return the members of the private key, for the key file only."""
    members: dict[str, str] = key.private.export_private(as_dict=True)
    return {**members, "kid": key.kid, "alg": key.alg, "kind": key.kind}


def sign(key: SigningKey, header: Mapping[str, Any], payload: bytes) -> str:
    """Return a JWS in compact serialization, signed as its header says (RFC 7515 section 7.1)."""
    token = JWS(payload)
    token.add_signature(key.private, protected=json.dumps(header, separators=(",", ":")))
    compact: str = token.serialize(compact=True)
    return compact


def to_payload(claims: Mapping[str, Any]) -> bytes:
    """Return a claims set as JSON; NaN and Infinity are written the way Python names them, for tests."""
    return json.dumps(claims, separators=(",", ":"), ensure_ascii=False).encode()


def is_signed_by(members: Mapping[str, Any], alg: str, token: str) -> bool:
    """Return whether a token has a signature of this public key with exactly this algorithm."""
    received = JWS()
    received.allowed_algs = [alg]
    # Unknown members are ignored (RFC 7517 section 4); jwcrypto would act on some, such as ``generate``.
    known = PUBLIC_KEY_MEMBERS.get(members.get("kty", ""), frozenset())
    try:
        received.deserialize(token, JWK(**{name: value for name, value in members.items() if name in known}))
    except (JWException, TypeError, ValueError):  # a registered key may be malformed
        return False
    return True


def sign_input(key: SigningKey, alg: str, signing_input: bytes) -> bytes:
    """Return the signature of these bytes, for tokens that are malformed on purpose."""
    signature: bytes = JWA.signing_alg(alg).sign(key.private, signing_input)
    return signature


def public_pem(key: SigningKey) -> bytes:
    """Return the public key as PEM, with which an attacker could key an HMAC (RFC 8725 section 2.1)."""
    pem: bytes = key.private.export_to_pem()
    return pem


def _named(jwk: JWK, kid: str, alg: str, kind: str) -> SigningKey:
    exported = jwk.export_public(as_dict=True)
    # Okta's order: kty, alg, kid, use, then the key itself, e before n.
    public = {"kty": exported.pop("kty"), "alg": alg, "kid": kid, "use": "sig"}
    public |= {name: exported[name] for name in ("crv", "x", "y", "e", "n") if name in exported}
    return SigningKey(kid=kid, alg=alg, kind=kind, public=public, private=jwk)
