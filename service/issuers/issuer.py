"""The endpoints and keys of one issuer, created on first use and shared by its validators."""

from __future__ import annotations

import logging
from functools import cached_property

from service.caches.introspection import IntrospectionCache
from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import IssuerUnavailable, SettingsError
from service.issuers.client import JSONClient
from service.issuers.client_auth import ClientAuthentication
from service.issuers.introspection import IntrospectionEndpoint
from service.issuers.keys import RemoteKeySet
from service.issuers.metadata import AuthorizationServerMetadata, remote_metadata
from service.issuers.refreshing import RefreshingCache, RefreshPolicy
from service.issuers.signed_introspection import SignedIntrospectionResponse
from service.issuers.status import IssuerStatus
from service.settings.issuers import ClientCredentials, TrustedIssuer

_logger = logging.getLogger(__name__)


class Issuer:
    """One issuer as configured: its metadata, keys and introspection endpoint."""

    def __init__(self, issuer: TrustedIssuer, *, client: JSONClient, clock: Clock, cache: SharedCache) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._cache = cache
        self._policy = RefreshPolicy(stale_if_error=issuer.stale_if_error)

    @property
    def name(self) -> str:
        """The issuer identifier."""
        return self._issuer.issuer

    @property
    def token_issuer(self) -> str:
        """The ``iss`` claim of its access tokens."""
        return self._issuer.profile.token_issuer

    @property
    def uses_keys(self) -> bool:
        """Whether a validator uses the key set."""
        return "keys" in vars(self)

    @cached_property
    def metadata(self) -> RefreshingCache[AuthorizationServerMetadata]:
        """The authorization server metadata."""
        return remote_metadata(
            self._issuer.issuer,
            client=self._client,
            clock=self._clock,
            policy=self._policy,
            locations=self._issuer.locations,
        )

    @cached_property
    def keys(self) -> RemoteKeySet:
        """The key set."""
        return RemoteKeySet(
            self._issuer.issuer,
            client=self._client,
            clock=self._clock,
            policy=self._policy,
            metadata=self.metadata,
            locations=self._issuer.locations,
        )

    @cached_property
    def introspection(self) -> IntrospectionEndpoint:
        """The introspection endpoint.

        Raises:
            SettingsError: The settings have no client credentials for this issuer, or unusable ones.
        """
        credentials = self._credentials
        return IntrospectionEndpoint(
            self._issuer,
            metadata=self.metadata,
            authentication=ClientAuthentication(credentials, clock=self._clock),
            client=self._client,
            clock=self._clock,
            signed=self._signed_response(credentials) if self._issuer.introspection_jwt else None,
        )

    @cached_property
    def introspection_cache(self) -> IntrospectionCache:
        """The cache of introspection responses."""
        return IntrospectionCache(
            self._cache,
            clock=self._clock,
            secret=self._cache.derive_key(f"introspection\0{self._issuer.issuer}\0{self._credentials.client_id}"),
            lifetime=self._issuer.introspection_cache_lifetime,
        )

    def status(self) -> IssuerStatus:
        """Return the state of the parts that were used; awaits nothing."""
        used = vars(self)  # the others would be created
        endpoint: IntrospectionEndpoint | None = used.get("introspection")
        return IssuerStatus.of(
            self.name,
            keys=used.get("keys"),
            endpoint=endpoint,
            responses=used.get("introspection_cache") if endpoint is not None else None,
        )

    async def refresh_keys(self) -> bool:
        """Fetch the key set, whatever its age; return whether that succeeded."""
        fields = {"issuer": self.name}
        try:
            await self.keys.refresh_now()
        except IssuerUnavailable as exc:
            fields["reason"] = exc.detail
            event = "forced key set refresh failed: issuer=%(issuer)s reason=%(reason)s"
            _logger.error(event, fields, extra=fields)  # noqa: TRY400  # the reason says it all
            return False
        _logger.warning("key set refreshed for an operator: issuer=%(issuer)s", fields, extra=fields)
        return True

    async def close(self) -> None:
        """Cancel pending requests; further calls have no effect."""
        created = vars(self)  # only the parts that were used
        for name in ("introspection_cache", "introspection", "keys", "metadata"):
            if name in created:
                await created[name].close()

    @property
    def _credentials(self) -> ClientCredentials:
        if self._issuer.client is None:
            raise SettingsError(
                [f"client_id: is not set; introspection at {self._issuer.issuer} requires client credentials"]
            )
        return self._issuer.client

    def _signed_response(self, credentials: ClientCredentials) -> SignedIntrospectionResponse:
        return SignedIntrospectionResponse(
            self._issuer.issuer,
            client_id=credentials.client_id,
            keys=self.keys,
            algorithms=self._issuer.algorithms,
            clock=self._clock,
            leeway=self._issuer.leeway,
        )
