"""An issuer's key set, fetched from its ``jwks_uri`` and refreshed when keys rotate (RFC 7517 section 5)."""

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
    """The key set of one issuer.

    Args:
        metadata: The issuer's metadata, if it is already cached elsewhere; fetched here by default.
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
        """The key set that was fetched last, usable or not; None before the first fetch."""
        return self._last

    async def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header, at least one.

        An unknown key ID causes at most one fetch, within the budget of :meth:`RefreshingCache.refresh_if_unchanged`.

        Raises:
            InvalidToken: The issuer publishes no such key.
            IssuerUnavailable: The key set is unavailable, or cannot be refreshed to look for a new key.
        """
        key_set = self._key_set.current() or await self._key_set.get()
        keys = key_set.select(algorithm=algorithm, kid=kid)
        if not keys:
            key_set = await self._key_set.refresh_if_unchanged(key_set)
            keys = key_set.select(algorithm=algorithm, kid=kid)
        if not keys:
            raise InvalidToken(Reason.UNKNOWN_KEY, f"{self._issuer} publishes no matching key", claim="kid")
        return keys

    async def refresh_now(self) -> KeySet:
        """Fetch the key set, whatever the age of the copy, so that a withdrawn key is rejected at once.

        Raises:
            IssuerUnavailable: The fetch failed; the current copy is still used.
        """
        return await self._key_set.refresh_now()

    def is_current(self, key: JWK) -> bool:
        """Return whether a key may still be used; awaits nothing, but starts a refresh when one is due."""
        key_set = self._key_set.current()
        return key_set is not None and key in key_set.keys

    async def check_ready(self) -> None:
        """Return if there is a usable key set.

        Raises:
            IssuerUnavailable: There is none; the detail says why.
        """
        await self._key_set.get()

    async def close(self) -> None:
        """Cancel pending requests."""
        await self._key_set.close()
        await self._metadata.close()

    async def _fetch(self) -> Loaded[KeySet]:
        metadata = await self._metadata.get()
        try:
            response = await self._fetch_from(metadata)
        except UnexpectedStatus as exc:
            if exc.status != 404:
                raise
            # The key set may have moved.
            response = await self._fetch_from(await self._metadata.refresh_if_unchanged(metadata))
        try:
            key_set = KeySet.read(response.document)
        except ValueError as exc:
            raise IssuerUnavailable(f"GET {response.url}: {exc}") from exc
        if self._last is None or key_set.skipped != self._last.skipped:
            for reason in key_set.skipped:
                fields = {"url": response.url, "reason": reason}
                _logger.warning("skipped key: url=%(url)s reason=%(reason)s", fields, extra=fields)
        if key_set != self._last:  # equal keys remain the same objects, so that comparing them is cheap
            self._last = key_set
        return Loaded(value=self._last, max_age=response.max_age)

    async def _fetch_from(self, metadata: AuthorizationServerMetadata) -> JSONResponse:
        if metadata.jwks_uri is None:
            raise IssuerUnavailable(f"discovery of {self._issuer}: the document has no jwks_uri")
        return await self._client.get(metadata.jwks_uri)
