"""What there is to ask of one issuer, made when it is first needed and shared by all who judge its tokens."""

from __future__ import annotations

import hashlib
import hmac
from functools import cached_property

from service.caches.introspection import IntrospectionCache
from service.caches.shared import SharedCache
from service.clock import Clock
from service.errors import SettingsError
from service.issuers.client import JSONClient
from service.issuers.client_auth import ClientAuthentication
from service.issuers.introspection import IntrospectionEndpoint
from service.issuers.keys import RemoteKeySet
from service.issuers.metadata import AuthorizationServerMetadata, remote_metadata
from service.issuers.refreshing import RefreshingCache, RefreshPolicy
from service.issuers.signed_introspection import SignedIntrospectionResponse
from service.settings.issuers import ClientCredentials, TrustedIssuer


class Issuer:
    """One issuer as it is reached over the network, on the terms of the settings."""

    def __init__(self, issuer: TrustedIssuer, *, client: JSONClient, clock: Clock, cache: SharedCache) -> None:
        self._issuer = issuer
        self._client = client
        self._clock = clock
        self._cache = cache
        self._policy = RefreshPolicy(stale_if_error=issuer.stale_if_error)

    @cached_property
    def metadata(self) -> RefreshingCache[AuthorizationServerMetadata]:
        """What it publishes about itself."""
        return remote_metadata(self._issuer.issuer, client=self._client, clock=self._clock, policy=self._policy)

    @cached_property
    def keys(self) -> RemoteKeySet:
        """The keys with which it signs."""
        return RemoteKeySet(
            self._issuer.issuer, client=self._client, clock=self._clock, policy=self._policy, metadata=self.metadata
        )

    @cached_property
    def introspection(self) -> IntrospectionEndpoint:
        """Where it answers questions about tokens.

        Raises:
            SettingsError: We have no credentials there, or cannot use them.
        """
        credentials = self._credentials
        return IntrospectionEndpoint(
            self._issuer.issuer,
            metadata=self.metadata,
            authentication=ClientAuthentication(credentials, clock=self._clock),
            client=self._client,
            clock=self._clock,
            signed=self._signed_response(credentials) if self._issuer.introspection_jwt else None,
        )

    @cached_property
    def introspection_cache(self) -> IntrospectionCache:
        """What it said about tokens lately."""
        return IntrospectionCache(
            self._cache,
            clock=self._clock,
            secret=_cache_secret(self._issuer.issuer, self._credentials),
            lifetime=self._issuer.introspection_cache_lifetime,
        )

    async def close(self) -> None:
        """Abandon what is being asked; twice is as good as once."""
        made = vars(self)
        for name in ("introspection_cache", "keys", "metadata"):
            if name in made:
                await made[name].close()

    @property
    def _credentials(self) -> ClientCredentials:
        if self._issuer.client is None:
            raise SettingsError(
                [f"client_id: is not set, and {self._issuer.issuer} answers questions about tokens only to its clients"]
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


def _cache_secret(issuer: str, credentials: ClientCredentials) -> bytes:
    """Return what keys the names of cached answers: another issuer's or client's never meet ours."""
    secret = credentials.secret.get_secret_value() if credentials.secret else ""
    return hmac.new(secret.encode(), f"{issuer}\0{credentials.client_id}".encode(), hashlib.sha256).digest()
