"""An issuer's key set, fetched from its ``jwks_uri`` or a file, and refreshed when keys rotate (RFC 7517 section 5)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from cachetools import LRUCache

from service.clock import Clock
from service.errors import InvalidToken, IssuerUnavailable, Reason
from service.issuers.client import JSONClient
from service.issuers.failures import UnexpectedStatus
from service.issuers.key_file import key_file_policy, read_key_file
from service.issuers.metadata import ISSUER_SAYS, AuthorizationServerMetadata, remote_metadata
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy
from service.settings.profiles.locations import Locations
from service.tokens import jws
from service.tokens.jwk import JWK
from service.tokens.jws import CompactJWS
from service.tokens.key_set import KeySet

_UNKNOWN_KEY_IDS = 1024
"""Unknown key IDs whose first use is recorded, as hashes."""
_GET = "GET "
_logger = logging.getLogger(__name__)


class _Document(NamedTuple):
    """A JWK Set, and the request or the path that gave it."""

    source: str
    document: dict[str, Any]
    max_age: float | None


class RemoteKeySet:
    """The key set of one issuer.

    Args:
        metadata: The issuer's metadata, if it is already cached elsewhere; fetched here by default.
        locations: Where the key set is; by default, where the metadata says.
    """

    def __init__(
        self,
        issuer: str,
        *,
        client: JSONClient,
        clock: Clock,
        policy: RefreshPolicy | None = None,
        metadata: RefreshingCache[AuthorizationServerMetadata] | None = None,
        locations: Locations = ISSUER_SAYS,
    ) -> None:
        self._issuer = issuer
        self._client = client
        self._locations = locations
        self._metadata = metadata or remote_metadata(
            issuer, client=client, clock=clock, policy=policy, locations=locations
        )
        if locations.keys_file is not None:
            policy = key_file_policy(policy or RefreshPolicy())
        self._key_set = RefreshingCache(self._fetch, name=f"key set of {issuer}", clock=clock, policy=policy)
        self._last: KeySet | None = None
        self._unknown: LRUCache[int, int] = LRUCache(maxsize=_UNKNOWN_KEY_IDS)
        self.unknown_key_ids = 0
        """Tokens so far whose key the key set did not have at first."""

    @property
    def last(self) -> KeySet | None:
        """The key set that was fetched last, usable or not; None before the first fetch."""
        return self._last

    @property
    def copy(self) -> RefreshingCache[KeySet]:
        """The copy of the key set, with its age and the outcome of its fetches."""
        return self._key_set

    async def verify(self, signed: CompactJWS, *, algorithm: str, kid: str | None) -> JWK:
        """Return the published key that verifies a signature.

        The issuer may have replaced a key under its key ID. A bad signature therefore causes a spare fetch, which
        leaves the budget to unknown key IDs, and it is rejected if the key set is still the same.

        Raises:
            InvalidToken: The issuer publishes no such key, or the signature is bad.
            IssuerUnavailable: As for :meth:`select`.
        """
        keys = await self.select(algorithm=algorithm, kid=kid)
        try:
            return jws.verify(signed, algorithm=algorithm, keys=keys)
        except InvalidToken:
            if not await self._has_changed():
                raise
        return jws.verify(signed, algorithm=algorithm, keys=await self.select(algorithm=algorithm, kid=kid))

    async def select(self, *, algorithm: str, kid: str | None) -> Sequence[JWK]:
        """Return the keys that may verify a token with this header, at least one.

        An unknown key ID causes fetches within the budget of :meth:`RefreshingCache.refresh_within_budget`, until
        one of them started after this call.

        Raises:
            InvalidToken: The issuer publishes no such key.
            IssuerUnavailable: The key set is unavailable, or it cannot be fetched now to look for a new key.
        """
        fetches = self._key_set.fetches
        is_unknown = False
        key_set = self._key_set.current() or await self._key_set.get()
        while not (keys := key_set.select(algorithm=algorithm, kid=kid)):
            if not is_unknown:
                is_unknown = True
                self.unknown_key_ids += 1
            since = self._unknown.setdefault(hash((algorithm, kid)), fetches)
            if self._key_set.is_newer_than(fetches) or not await self._refresh_for(since):
                why = key_set.explain_absence(algorithm=algorithm, kid=kid)
                raise InvalidToken(Reason.UNKNOWN_KEY, f"{self._issuer} publishes no matching key: {why}", claim="kid")
            key_set = await self._key_set.get()
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
        return key_set is not None and key in key_set.by_kid.get(key.kid, ())

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

    async def _refresh_for(self, since: int) -> bool:
        """Refresh the key set for an unknown key ID; return False if a refresh has looked for it already.

        One token that is sent again and again must not use up the budget, so only its first use takes from it.

        Args:
            since: The fetches that had started when the key ID was first used.

        Raises:
            IssuerUnavailable: The fetch failed, or an attacker with invented key IDs has used up the budget. The key
                may be new then: rejecting the token would make its client discard it.
        """
        was_looked_for = self._key_set.is_newer_than(since)
        if await self._key_set.refresh_within_budget(spare=was_looked_for):
            return True
        if was_looked_for:
            return False
        detail = f"key set of {self._issuer}: it was fetched too often to look for one more key ID now"
        raise IssuerUnavailable(detail, retry_after=self._key_set.budget_wait)

    async def _has_changed(self) -> bool:
        """Refresh the key set if a spare fetch is allowed, and return whether it is another one now."""
        before = self._last
        try:
            await self._key_set.refresh_within_budget(spare=True)
        except IssuerUnavailable:
            return False  # a forged token must not get 503 while its key is known
        return self._last is not before

    async def _fetch(self) -> Loaded[KeySet]:
        source, document, max_age = await self._fetch_document()
        try:
            key_set = KeySet.read(document, issuer=self._issuer)
        except ValueError as exc:
            raise IssuerUnavailable(f"{source}: {exc}") from exc
        if self._last is None or key_set.skipped != self._last.skipped:
            for reason in key_set.skipped:
                fields = {"url": source.removeprefix(_GET), "reason": str(reason)}
                _logger.warning("skipped key: url=%(url)s reason=%(reason)s", fields, extra=fields)
        if key_set != self._last:  # equal keys remain the same objects, so that comparing them is cheap
            self._last = key_set
        return Loaded(value=self._last, max_age=max_age)

    async def _fetch_document(self) -> _Document:
        if (path := self._locations.keys_file) is not None:
            return _Document(path, await read_key_file(path), None)
        if self._locations.jwks_uri is not None:
            return await self._fetch_from(self._locations.jwks_uri)
        try:
            return await self._fetch_from((await self._metadata.get()).jwks_uri)
        except UnexpectedStatus as exc:
            if exc.status != 404 or not await self._metadata.refresh_within_budget():
                raise
        return await self._fetch_from((await self._metadata.get()).jwks_uri)  # the key set may have moved

    async def _fetch_from(self, jwks_uri: str | None) -> _Document:
        if jwks_uri is None:
            raise IssuerUnavailable(f"discovery of {self._issuer}: the document has no jwks_uri")
        response = await self._client.get(jwks_uri, purpose="key set")
        return _Document(f"{_GET}{response.url}", response.document, response.max_age)
