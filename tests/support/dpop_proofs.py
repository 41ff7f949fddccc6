"""Makes DPoP proofs, right ones and such that break one rule."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

from jwcrypto.jwk import JWK
from jwt import PyJWS

REMOVED = object()
"""The value of a parameter or claim that the proof lacks."""


class ProofKey:
    """A key of a client.

    Args:
        alg: The algorithm with which it signs.
        parameters: What jwcrypto generates the key from.
    """

    def __init__(self, alg: str = "ES256", **parameters: Any) -> None:
        self.alg = alg
        self.key = JWK.generate(**(parameters or {"kty": "EC", "crv": "P-256"}))
        self.public: dict[str, Any] = self.key.export_public(as_dict=True)

    @property
    def thumbprint(self) -> str:
        text: str = self.key.thumbprint()
        return text

    def proof(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Return a proof with these claims, and these parameters in place of the usual ones."""
        parameters = {"typ": "dpop+jwt", "jwk": self.public} | (header or {})
        payload = json.dumps(_without_removed({"jti": secrets.token_urlsafe(12)} | claims)).encode()
        key = self.key.export_to_pem(private_key=True, password=None)
        headers = {"typ": None} | _without_removed(parameters)  # PyJWT would say JWT
        return PyJWS().encode(payload, key, algorithm=self.alg, headers=headers)


def ath(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def _without_removed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not REMOVED}
