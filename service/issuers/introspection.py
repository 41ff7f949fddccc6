"""Token introspection at an issuer (RFC 7662), with limits for clients and pauses while it fails."""

from __future__ import annotations

import secrets
from typing import Any

from service.clock import Clock
from service.errors import IssuerUnavailable, TooManyRequests
from service.issuers.breaker import PAUSE_AFTER_REJECTION, Breaker, CredentialsRejected
from service.issuers.client import FormResponse, JSONClient
from service.issuers.client_auth import ClientAuthentication
from service.issuers.failures import UnexpectedStatus
from service.issuers.metadata import AuthorizationServerMetadata
from service.issuers.peer_limits import PeerLimits
from service.issuers.refreshing import RefreshingCache
from service.issuers.signed_introspection import SIGNED_RESPONSE, SignedIntrospectionResponse
from service.settings.issuers import TrustedIssuer
from service.tokens import encoding

OUTCOMES = ("active", "inactive", "failed", "limited")
"""How an introspection can end; ``limited`` stands for a client that has caused too many."""


class IntrospectionEndpoint:
    """The introspection endpoint of one issuer.

    Args:
        issuer: The settings of the issuer; no metadata is fetched if they name the endpoint.
        metadata: The source of the endpoint's URL and its authentication methods.
        authentication: Our client authentication.
        signed: The reader of signed responses, or None to accept plain JSON, which only TLS authenticates.
    """

    def __init__(
        self,
        issuer: TrustedIssuer,
        *,
        metadata: RefreshingCache[AuthorizationServerMetadata],
        authentication: ClientAuthentication,
        client: JSONClient,
        clock: Clock,
        signed: SignedIntrospectionResponse | None = None,
    ) -> None:
        self._issuer = issuer.issuer
        self._metadata = metadata
        self._url = issuer.locations.introspection_endpoint
        self._authentication = authentication
        self._client = client
        self._signed = signed
        self._zero_exp_is_never = issuer.zero_exp_is_never
        self._breaker = Breaker(self._issuer, probe=self._probe, clock=clock)
        self._limits = PeerLimits(per_minute=issuer.introspection_rate_limit, clock=clock)
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        """The introspections so far, by outcome."""

    @property
    def failure(self) -> IssuerUnavailable | None:
        """Why introspection is paused for every token; None if it is not."""
        return self._breaker.failure

    async def introspect(self, token: str, *, peer: str | None = None) -> dict[str, Any]:
        """Return the introspection response for a token; ``active`` is present, and may have any value.

        Args:
            peer: The address of the client that sent the token, or None if the request is not limited.

        Raises:
            CredentialsRejected: The issuer rejects our client credentials, or supports none of our methods.
            IssuerUnavailable: The request failed or is paused, or the response is malformed.
            TooManyRequests: The client's address has caused too many requests.
        """
        outcome = "failed"
        try:
            endpoint = await self.endpoint()
            self._breaker.check(token)
            response = await self._limits.run(
                peer, lambda: self._breaker.run(token, lambda: self._request(endpoint, token, is_probe=False))
            )
            outcome = "active" if response["active"] is True else "inactive"
        except TooManyRequests:
            outcome = "limited"
            raise
        finally:
            self.outcomes[outcome] += 1
        return response

    async def check_ready(self) -> None:
        """Return if the endpoint is known.

        Raises:
            IssuerUnavailable: It is unknown, or it rejected our credentials in the last request.
        """
        if self._url is None:
            await self._metadata.get()
        if isinstance(self._breaker.failure, CredentialsRejected):
            raise self._breaker.failure

    async def close(self) -> None:
        """Cancel pending requests."""
        await self._breaker.close()

    async def endpoint(self) -> str:
        """Return the URL of the endpoint.

        Raises:
            IssuerUnavailable: The metadata is unavailable, or has no introspection endpoint.
        """
        if self._url is not None:
            return self._url
        endpoint = (await self._metadata.get()).introspection_endpoint
        if endpoint is None:
            raise IssuerUnavailable(f"discovery of {self._issuer}: the document has no introspection_endpoint")
        return endpoint

    async def methods(self) -> tuple[str, ...] | None:
        """Return the client authentication methods of the metadata, or None if none are listed or none is fetched.

        Raises:
            IssuerUnavailable: The metadata is unavailable.
        """
        return None if self._url is not None else (await self._metadata.get()).introspection_methods

    async def _probe(self) -> None:
        """Introspect a random token, which an attacker has not chosen."""
        await self._request(await self.endpoint(), secrets.token_urlsafe(32), is_probe=True)

    async def _request(self, endpoint: str, token: str, *, is_probe: bool) -> dict[str, Any]:
        try:
            authenticated = self._authentication.apply(endpoint, supported=await self.methods())
        except ValueError as exc:
            raise CredentialsRejected(f"POST {endpoint}: {exc}", retry_after=PAUSE_AFTER_REJECTION) from None
        form = {"token": token, "token_type_hint": "access_token", **authenticated.form}
        headers = {"Accept": SIGNED_RESPONSE if self._signed else "application/json", **authenticated.headers}
        response = await self._client.post(endpoint, form, headers=headers, is_queued=not is_probe)
        return await self._read(endpoint, response)

    async def _read(self, endpoint: str, response: FormResponse) -> dict[str, Any]:
        if response.status != 200:
            raise UnexpectedStatus("POST", endpoint, response.status, retry_after=response.retry_after)
        if self._signed:
            document = await self._signed.read(endpoint, response)
        else:
            try:
                document = encoding.decode_document(response.body)
            except ValueError:  # its message may quote the response
                raise IssuerUnavailable(f"POST {endpoint}: the response is not a JSON object") from None
        if "active" not in document:
            raise IssuerUnavailable(f"POST {endpoint}: the response has no member named active")
        return self._without_absent_members(document)

    def _without_absent_members(self, document: dict[str, Any]) -> dict[str, Any]:
        """Return a response without the members that stand for an absent one; ``active`` always remains.

        Many servers write each member that a token does not have as null.
        """
        members = {name: value for name, value in document.items() if value is not None or name == "active"}
        exp = members.get("exp")
        # A boolean is an integer in Python.
        if self._zero_exp_is_never and isinstance(exp, int | float) and not isinstance(exp, bool) and exp <= 0:
            del members["exp"]
        return members
