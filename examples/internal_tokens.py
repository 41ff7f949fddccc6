"""A custom validator for tokens that internal services sign with a shared secret.

The tokens look like ``internal.CLIENT.EXPIRY.SIGNATURE``, where the signature is the HMAC-SHA256 of the rest.
Select it with ``validation = "internal_tokens:build"`` in the settings of a separate issuer.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re

from service.clock import Clock
from service.errors import InvalidToken, Reason, SettingsError
from service.settings.issuers import TrustedIssuer
from service.tokens.presented import PresentedToken
from service.tokens.principal import Principal
from service.validators.base import ValidatorContext

_FORMAT = re.compile(r"internal\.([a-z0-9-]+)\.([0-9]{1,12})\.([0-9a-f]{64})")


class InternalTokens:
    """Validates the tokens of internal services."""

    def __init__(self, *, issuer: TrustedIssuer, secret: bytes, clock: Clock) -> None:
        self._issuer = issuer
        self._secret = secret
        self._clock = clock

    async def validate(self, token: PresentedToken) -> Principal | None:
        """Return the token's principal, or None if the token has another format."""
        match = _FORMAT.fullmatch(token.text)
        if match is None:
            return None
        client_id, expiry, signature = match.groups()
        if not hmac.compare_digest(_mac(self._secret, f"internal.{client_id}.{expiry}"), signature):
            raise InvalidToken(Reason.BAD_SIGNATURE)
        if self._clock.now() >= int(expiry) + self._issuer.leeway:
            raise InvalidToken(Reason.EXPIRED, claim="exp")
        claims = {"iss": self._issuer.issuer, "exp": int(expiry), "client_id": client_id, "scope": "internal"}
        return Principal.from_claims(claims)

    async def check_ready(self) -> None:
        """Return immediately: there is nothing to fetch."""

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


def build(issuer: TrustedIssuer, context: ValidatorContext) -> InternalTokens:
    """Return the validator, with the secret from the environment variable ``INTERNAL_TOKEN_SECRET``.

    Raises:
        SettingsError: The secret is not set, or is shorter than the output of SHA-256 (RFC 2104 section 3).
    """
    secret = os.environ.get("INTERNAL_TOKEN_SECRET", "").encode()
    if len(secret) < hashlib.sha256().digest_size:
        raise SettingsError(["INTERNAL_TOKEN_SECRET: is shorter than 32 bytes; set it to 32 random bytes"])
    return InternalTokens(issuer=issuer, secret=secret, clock=context.clock)


def sign(client_id: str, *, expiry: int, secret: bytes) -> str:
    """Return a token for a client that expires at ``expiry``, in seconds since the epoch."""
    text = f"internal.{client_id}.{expiry}"
    return f"{text}.{_mac(secret, text)}"


def _mac(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.encode("ascii"), hashlib.sha256).hexdigest()
