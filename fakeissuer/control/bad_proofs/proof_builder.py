"""A builder for bad DPoP proofs: a valid proof with its bound token, any part of which can be replaced."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from fakeissuer.control.jws_parts import Part, encode, signer, with_changes
from fakeissuer.control.mint import mint
from fakeissuer.control.mint_request import MintRequest
from fakeissuer.jose.raw_jws import Signer, base64url
from fakeissuer.model.identifiers import random_text
from fakeissuer.model.records import Record
from fakeissuer.oauth.dpop import jwk_thumbprint
from fakeissuer.state.state import IssuerState

if TYPE_CHECKING:
    from fakeissuer.jose.keys import SigningKey

Fields = list[tuple[str, str]]
"""Names and values of header fields."""

INVALID_PROOF = "invalid_dpop_proof"
INVALID_TOKEN = "invalid_token"  # noqa: S105  # an error code
USE_NONCE = "use_dpop_nonce"


class BadProofsRequest(Record, frozen=True, kw_only=True):
    """The request that the proofs are for.

    ``token`` describes the bound tokens as in the mint call. ``nonce`` is the API's own, if it requires one.
    """

    method: str
    url: str
    nonce: str | None = None
    token: MintRequest = MintRequest()


class BadProof(Record, frozen=True, kw_only=True):
    """The header fields of a request whose proof is bad, the rule that they break, and the correct status and error.

    ``times`` is how often the fields have to be sent: 2 for a replay, whose first request is accepted.
    """

    secret_members: ClassVar[frozenset[str]] = frozenset({"fields"})

    name: str
    fields: Fields
    breaks: str
    status: int
    error: str
    times: int = 1


@dataclass(frozen=True)
class Row:
    """One entry of the catalogue."""

    name: str
    breaks: str
    make: Callable[[ProofBuilder], Fields]
    error: str = INVALID_PROOF
    times: int = 1
    needs_nonce: bool = False


class ProofBuilder:
    """Builds proofs for one request, and the tokens that are sent with them."""

    def __init__(self, state: IssuerState, request: BadProofsRequest) -> None:
        from fakeissuer.jose import keys  # noqa: PLC0415  # slow to import, needed with the first key

        self._state = state
        self._request = request
        self.method = request.method
        self.url = request.url.partition("?")[0].partition("#")[0]
        self.nonce = request.nonce
        self.now = int(state.clock.now())
        self.key = keys.create_key(random_text(), "ES256", "P-256")
        self.attacker_key = keys.create_key(random_text(), "ES256", "P-256")
        self.jwk = public_jwk(self.key)
        self.token = self.mint(dpop_jkt=jwk_thumbprint(self.jwk))

    def mint(self, **members: Any) -> str:
        """Return a token as the request describes it, with changes."""
        return mint(self._state, msgspec.structs.replace(self._request.token, **members)).token

    def header(self, **changes: Any) -> dict[str, Any]:
        """Return a valid JOSE header with changes."""
        return with_changes({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}, changes)

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Return the claims of a valid proof with changes."""
        valid = {
            "jti": random_text(),
            "htm": self.method,
            "htu": self.url,
            "iat": self.now,
            "ath": token_hash(self.token),
        }
        if self.nonce is not None:
            valid["nonce"] = self.nonce
        return with_changes(valid, changes)

    def signer(self, key: SigningKey | None = None, alg: str = "ES256") -> Signer:
        """Return a signer for a key, by default that of the token."""
        return signer(key or self.key, alg)

    def proof(
        self,
        *,
        header: Part | None = None,
        claims: Part | None = None,
        sign: Signer | None = None,
    ) -> str:
        """Return a proof of these parts; omitted parts are those of a valid proof."""
        return encode(
            self.header() if header is None else header,
            self.claims() if claims is None else claims,
            sign or self.signer(),
        )

    def fields(self, *proofs: str, token: str | None = None, scheme: str = "DPoP") -> Fields:
        """Return the header fields of a request with these proofs, and by default the bound token."""
        return [("Authorization", f"{scheme} {token or self.token}"), *(("DPoP", proof) for proof in proofs)]

    def with_key(self, jwk: Mapping[str, Any], thumbprint: str, sign: Signer, alg: str = "ES256") -> Fields:
        """Return the header fields of a request with another key, to which its token is bound."""
        token = self.mint(dpop_jkt=thumbprint)
        header = self.header(jwk=dict(jwk), alg=alg)
        return self.fields(self.proof(header=header, claims=self.claims(ath=token_hash(token)), sign=sign), token=token)


def public_jwk(key: SigningKey) -> dict[str, Any]:
    """Return the public key as it is in a proof."""
    return {name: value for name, value in key.public.items() if name not in {"alg", "kid", "use"}}


def token_hash(token: str) -> str:
    """Return the claim ``ath`` for a token (RFC 9449 section 4.2)."""
    return base64url(hashlib.sha256(token.encode()).digest())
