"""Remembers used DPoP proofs, so that each is accepted once (RFC 9449 section 11.1)."""

from __future__ import annotations

import hashlib
import logging

from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import RetryLater

CAPACITY = 250_000
"""Proofs of one period in this process; about 25 MB, and more than a process can verify in a minute."""
_LOG_INTERVAL = 60.0
"""Seconds between two log lines about the same state, since clients decide how often it is met."""
_DIGEST_SIZE = 16

_logger = logging.getLogger(__name__)


class TooManyProofs(RetryLater):
    """This process cannot remember more proofs now, and accepts none that it could not recognize later."""

    reason = "too_many_proofs"


class UsedProofs:
    """The proofs that were used in a period, in this process and in all that share its cache.

    A proof is recorded in this process first, so that it is accepted at most once in each process even while the
    shared cache is unavailable.

    Args:
        cache: The cache that processes share.
        period: Seconds for which a proof could be accepted again.
        requires_cache: Whether a proof is rejected while the shared cache is unavailable.
        capacity: Proofs of one period in this process.
    """

    def __init__(
        self,
        cache: SharedCache,
        *,
        clock: Clock,
        period: float,
        requires_cache: bool = False,
        capacity: int = CAPACITY,
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._period = period
        self._requires_cache = requires_cache
        self._capacity = capacity
        # Two sets instead of a time for each proof: one is filled, and the other is forgotten a period later.
        self._current: set[bytes] = set()
        self._previous: set[bytes] = set()
        self._ends_at = clock.monotonic() + period
        self._log_at = 0.0
        self.accepted = self.replayed = 0
        self.unshared = 0
        """Proofs that only this process has recorded, because the shared cache was unavailable."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes see the proofs."""
        return not self._cache.is_local

    async def add(self, thumbprint: str, jti: str) -> bool:
        """Record a proof whose signature is valid, and return whether it was not used before.

        Args:
            thumbprint: The thumbprint of its key; each client chooses ``jti`` for itself.

        Raises:
            TooManyProofs: This process has recorded as many as it can.
            ProofsUnavailable: The shared cache is unavailable, and required.
        """
        digest = hashlib.sha256(f"{thumbprint}.{jti}".encode("utf-8", "surrogatepass")).digest()[:_DIGEST_SIZE]
        is_new = await self._add(digest)
        if is_new:
            self.accepted += 1
        else:
            self.replayed += 1
        return is_new

    async def _add(self, digest: bytes) -> bool:
        if not self._add_here(digest):
            return False
        if self._cache.is_local:
            return True
        is_new = await self._cache.add(f"dpop:{digest.hex()}", seconds=int(self._period) + 1)
        if is_new is None:
            self.unshared += 1
            self._report("shared cache unavailable: a proof is recorded in this process only")
            if self._requires_cache:
                raise ProofsUnavailable("the shared cache, which records used proofs, is unavailable")
        return is_new is not False

    def _add_here(self, digest: bytes) -> bool:
        now = self._clock.monotonic()
        if now >= self._ends_at:
            self._previous = self._current if now < self._ends_at + self._period else set()
            self._current, self._ends_at = set(), now + self._period
        if digest in self._current or digest in self._previous:
            return False
        if len(self._current) >= self._capacity:
            self._report("too many DPoP proofs: further ones are rejected until the oldest have expired")
            raise TooManyProofs("as many proofs are recorded as this process can hold", retry_after=self._ends_at - now)
        self._current.add(digest)
        return True

    def _report(self, event: str) -> None:
        now = self._clock.monotonic()
        if now >= self._log_at:
            self._log_at = now + _LOG_INTERVAL
            _logger.warning(event)


class ProofsUnavailable(RetryLater):
    """The shared cache is unavailable, without which this service accepts no proof."""

    reason = "used_proofs_unavailable"
