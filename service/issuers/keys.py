"""An issuer's key set, fetched from its ``jwks_uri`` and kept up with its rotations (RFC 7517 section 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient
from service.issuers.metadata import discover
from service.issuers.refresh import Loaded, Refreshed, RefreshPolicy
from service.tokens.jwk import JWK, KeySet

__all__ = ["RemoteKeySet"]

_logger = logging.getLogger(__name__)


class RemoteKeySet:
    """The keys with which one issuer signs."""

    def __init__(self, issuer: str, *, client: JSONClient, clock: Clock, policy: RefreshPolicy | None = None) -> None:
        self._client = client
        self._metadata = Refreshed(
            lambda: discover(issuer, client), name=f"discovery of {issuer}", clock=clock, policy=policy
        )
        self._key_set = Refreshed(self._fetch, name=f"key set of {issuer}", clock=clock, policy=policy)
        self._skipped: tuple[str, ...] = ()

    async def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header; none when the issuer publishes none.

        A key ID that we do not know costs at most one fetch, within the budget of :meth:`Refreshed.newer_than`.

        Raises:
            IssuerUnavailable: There are no keys to choose from, or nobody can tell whether there is a newer one.
        """
        key_set = self._key_set.peek() or await self._key_set.get()
        keys = key_set.select(algorithm=algorithm, kid=kid)
        if keys:
            return keys
        key_set = await self._key_set.newer_than(key_set)
        return key_set.select(algorithm=algorithm, kid=kid)

    async def ready(self) -> None:
        """Return when a token could be judged.

        Raises:
            IssuerUnavailable: None could; the detail says why.
        """
        await self._key_set.get()

    async def close(self) -> None:
        """Abandon what is being fetched."""
        await self._key_set.close()
        await self._metadata.close()

    async def _fetch(self) -> Loaded[KeySet]:
        metadata = await self._metadata.get()
        answer = await self._client.get(metadata.jwks_uri)
        try:
            key_set = KeySet.read(answer.document)
        except ValueError as exc:
            raise IssuerUnavailable(f"GET {metadata.jwks_uri}: {exc}") from exc
        if key_set.skipped != self._skipped:
            for why in key_set.skipped:
                _logger.warning("a key of %s is not used: %s", metadata.jwks_uri, why)
        self._skipped = key_set.skipped
        return Loaded(value=key_set, max_age=answer.max_age)
