"""An issuer's key set, fetched from its ``jwks_uri`` and kept up with its rotations (RFC 7517 section 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from service.clock import Clock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.issuers.client import JSONClient, JSONResponse, UnexpectedStatus
from service.issuers.metadata import AuthorizationServerMetadata, remote_metadata
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy
from service.tokens.jwk import JWK, KeySet

_logger = logging.getLogger(__name__)


class RemoteKeySet:
    """The keys with which one issuer signs.

    Args:
        metadata: Where it publishes them, if somebody else keeps that up already.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client: JSONClient,
        clock: Clock,
        policy: RefreshPolicy | None = None,
        metadata: RefreshingCache[AuthorizationServerMetadata] | None = None,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._metadata = metadata or remote_metadata(issuer, client=client, clock=clock, policy=policy)
        self._key_set = RefreshingCache(self._fetch, name=f"key set of {issuer}", clock=clock, policy=policy)
        self._last: KeySet | None = None

    @property
    def last(self) -> KeySet | None:
        """The key set that was read last, whether it may still be used or not."""
        return self._last

    async def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header, at least one.

        An unknown key ID costs at most one fetch, within the budget of ``RefreshingCache.refresh_if_unchanged``.

        Raises:
            InvalidToken: The issuer publishes no such key.
            IssuerUnavailable: There are no keys to choose from, or nobody can tell whether there is a newer one.
        """
        key_set = self._key_set.current() or await self._key_set.get()
        keys = key_set.select(algorithm=algorithm, kid=kid)
        if not keys:
            key_set = await self._key_set.refresh_if_unchanged(key_set)
            keys = key_set.select(algorithm=algorithm, kid=kid)
        if not keys:
            raise InvalidToken(Reason.UNKNOWN_KEY, f"{self._issuer} publishes no such key", claim="kid")
        return keys

    def is_current(self, key: JWK) -> bool:
        """Return whether a key may be used right now; awaits nothing, and has the set renewed when that is due."""
        key_set = self._key_set.current()
        return key_set is not None and key in key_set.keys

    async def check_ready(self) -> None:
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
        try:
            response = await self._fetch_from(metadata)
        except UnexpectedStatus as exc:
            if exc.status != 404:
                raise
            response = await self._fetch_from(
                await self._metadata.refresh_if_unchanged(metadata)
            )  # the key set may have moved
        try:
            key_set = KeySet.read(response.document)
        except ValueError as exc:
            raise IssuerUnavailable(f"GET {response.url}: {exc}") from exc
        if self._last is None or key_set.skipped != self._last.skipped:
            for reason in key_set.skipped:
                _logger.warning(
                    "skipped key of %s: %s", response.url, reason, extra={"url": response.url, "reason": reason}
                )
        if key_set != self._last:  # the same keys stay the same objects, so that comparing them costs nothing
            self._last = key_set
        return Loaded(value=self._last, max_age=response.max_age)

    async def _fetch_from(self, metadata: AuthorizationServerMetadata) -> JSONResponse:
        if metadata.jwks_uri is None:
            raise IssuerUnavailable(f"discovery of {self._issuer}: the document has no jwks_uri")
        return await self._client.get(metadata.jwks_uri)
