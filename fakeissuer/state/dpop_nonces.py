"""The nonces of the token endpoint for DPoP proofs (RFC 9449 section 8)."""

from __future__ import annotations

from fakeissuer.model.identifiers import random_text

RENEWAL_S = 86_400
"""Okta renews its nonce about every 24 hours."""
LIFETIME_S = RENEWAL_S + 3 * 86_400
"""Okta accepts the previous nonce for three days more."""
_LENGTH = 32


class DPoPNonces:
    """The current nonce, and the earlier ones that are still accepted, in seconds since the epoch."""

    def __init__(self) -> None:
        self._made: list[tuple[float, str]] = []

    def current(self, now: float) -> str:
        """Return the nonce to send."""
        if not self._made or now >= self._made[-1][0] + RENEWAL_S:
            self._made = [(made_at, nonce) for made_at, nonce in self._made if now < made_at + LIFETIME_S]
            self._made.append((now, random_text()[:_LENGTH]))
        return self._made[-1][1]

    def accepts(self, nonce: str, now: float) -> bool:
        """Return whether a nonce was sent before, and has not expired."""
        return any(nonce == known and now < made_at + LIFETIME_S for made_at, known in self._made)

    def clear(self) -> None:
        """Forget all nonces, so that clients need a new one."""
        self._made.clear()
