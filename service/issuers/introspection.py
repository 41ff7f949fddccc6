"""Token introspection at an issuer (RFC 7662), with pauses while its endpoint fails."""

from __future__ import annotations

import logging
from typing import Any

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import TOTAL_TIMEOUT, FormResponse, JSONClient
from service.issuers.client_auth import ClientAuthentication
from service.issuers.metadata import AuthorizationServerMetadata
from service.issuers.refreshing import RefreshingCache
from service.issuers.signed_introspection import SIGNED_RESPONSE, SignedIntrospectionResponse
from service.tokens import encoding

_logger = logging.getLogger(__name__)

FAILURES_BEFORE_PAUSE = 3
"""Consecutive failures before requests pause; a single slow response is not an outage."""
PAUSE = 2.0
"""Seconds between attempts at a failing issuer; short, so that its recovery is noticed."""
PAUSE_AFTER_REJECTION = 10.0
"""Seconds before the next request after the issuer rejected our credentials; more attempts could lock the client."""


class CredentialsRejected(IssuerUnavailable):
    """Our client authentication failed: the settings are wrong, not the token."""


class IntrospectionEndpoint:
    """The introspection endpoint of one issuer.

    Args:
        issuer: The issuer identifier, for the log.
        metadata: The source of the endpoint's URL and its authentication methods.
        authentication: Our client authentication.
        signed: The reader of signed responses, or None to accept plain JSON, which only TLS authenticates.
    """

    def __init__(
        self,
        issuer: str,
        *,
        metadata: RefreshingCache[AuthorizationServerMetadata],
        authentication: ClientAuthentication,
        client: JSONClient,
        clock: Clock,
        signed: SignedIntrospectionResponse | None = None,
    ) -> None:
        self._issuer = issuer
        self._metadata = metadata
        self._authentication = authentication
        self._client = client
        self._clock = clock
        self._signed = signed
        self._failures = 0
        self._failure: IssuerUnavailable | None = None
        self._retry_at = 0.0

    async def introspect(self, token: str) -> dict[str, Any]:
        """Return the introspection response for a token; ``active`` is present, and may have any value.

        Raises:
            CredentialsRejected: The issuer rejects our client credentials, or supports none of our methods.
            IssuerUnavailable: The request failed or is paused, or the response is malformed.
        """
        self._check_pause()
        try:
            document = await self._request(token)
        except IssuerUnavailable as exc:
            self._record_failure(exc)
            raise
        if self._failure is not None:
            fields = {"issuer": self._issuer}
            _logger.warning("introspection available again: issuer=%(issuer)s", fields, extra=fields)
        self._failures, self._failure, self._retry_at = 0, None, 0.0
        return document

    async def check_ready(self) -> None:
        """Return if the endpoint is known.

        Raises:
            IssuerUnavailable: It is unknown, or it rejected our credentials in the last request.
        """
        await self._metadata.get()
        if isinstance(self._failure, CredentialsRejected):
            raise self._failure

    async def endpoint(self) -> str:
        """Return the URL of the endpoint.

        Raises:
            IssuerUnavailable: The metadata is unavailable, or has no introspection endpoint.
        """
        endpoint = (await self._metadata.get()).introspection_endpoint
        if endpoint is None:
            raise IssuerUnavailable(f"discovery of {self._issuer}: the document has no introspection_endpoint")
        return endpoint

    async def _request(self, token: str) -> dict[str, Any]:
        endpoint = await self.endpoint()
        try:
            authenticated = self._authentication.apply(
                endpoint, supported=(await self._metadata.get()).introspection_methods
            )
        except ValueError as exc:
            raise CredentialsRejected(f"POST {endpoint}: {exc}", retry_after=PAUSE_AFTER_REJECTION) from None
        form = {"token": token, "token_type_hint": "access_token", **authenticated.form}
        accept = SIGNED_RESPONSE if self._signed else "application/json"
        response = await self._client.post(endpoint, form, headers={"Accept": accept, **authenticated.headers})
        return await self._read(endpoint, response)

    async def _read(self, endpoint: str, response: FormResponse) -> dict[str, Any]:
        if response.status in {401, 403}:
            problem = f"{response.status}, the issuer rejected our client credentials; run python -m service check"
            raise CredentialsRejected(f"POST {endpoint}: {problem}", retry_after=PAUSE_AFTER_REJECTION)
        if response.status != 200:
            raise _UnexpectedResponse(endpoint, response)
        if self._signed:
            document = await self._signed.read(endpoint, response)
        else:
            try:
                document = encoding.decode_json_object(response.body)
            except ValueError:  # its message may quote the response
                raise IssuerUnavailable(f"POST {endpoint}: the response is not a JSON object") from None
        if "active" not in document:
            raise IssuerUnavailable(f"POST {endpoint}: the response has no member named active")
        return document

    def _check_pause(self) -> None:
        now = self._clock.monotonic()
        if self._failure is not None and now < self._retry_at:
            raise IssuerUnavailable(self._failure.detail, retry_after=self._retry_at - now)
        if self._failures >= FAILURES_BEFORE_PAUSE:
            self._retry_at = now + TOTAL_TIMEOUT  # this request probes the issuer; others fail fast until it ends

    def _record_failure(self, failure: IssuerUnavailable) -> None:
        """Log a new kind of failure, and pause requests if it calls for a pause."""
        if self._failure is None or self._failure.detail != failure.detail:
            level = logging.ERROR if isinstance(failure, CredentialsRejected) else logging.WARNING
            fields = {"issuer": self._issuer, "reason": failure.detail}
            _logger.log(level, "introspection failed: issuer=%(issuer)s reason=%(reason)s", fields, extra=fields)
        status = failure.status if isinstance(failure, _UnexpectedResponse) else None
        if status == 400:
            return  # only this token may be at fault; an attacker must not block others by sending malformed tokens
        self._failures += 1
        self._failure = failure
        self._retry_at = self._clock.monotonic()
        if status == 429 or isinstance(failure, CredentialsRejected):
            self._retry_at += failure.retry_after
        elif self._failures >= FAILURES_BEFORE_PAUSE:
            self._retry_at += max(PAUSE, failure.retry_after)


class _UnexpectedResponse(IssuerUnavailable):
    """The endpoint responded with a status other than 200."""

    def __init__(self, endpoint: str, response: FormResponse) -> None:
        super().__init__(f"POST {endpoint}: expected 200, got {response.status}", retry_after=response.retry_after)
        self.status = response.status
