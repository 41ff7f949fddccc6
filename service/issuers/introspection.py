"""Asks an issuer about a token (RFC 7662), and asks less while the issuer is in trouble."""

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
"""Failures in a row after which the issuer is left alone for a moment: one slow answer is no outage."""
PAUSE = 2.0
"""Seconds between probes of an issuer in trouble; short, so that its recovery is noticed."""
PAUSE_AFTER_REJECTION = 10.0
"""Seconds after our own credentials were refused: asking again soon would only lock them."""


class CredentialsRejected(IssuerUnavailable):
    """The issuer refuses our own credentials: we are set up wrongly, and no token is to blame."""


class IntrospectionEndpoint:
    """The place where one issuer answers questions about tokens.

    Args:
        issuer: Its name, for the log.
        metadata: Where the endpoint is, and how we may authenticate there.
        authentication: Who we are.
        signed: Reads answers that must be signed; None where plain JSON is believed, as TLS already says who speaks.
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
        """Return what the issuer says of a token; its member ``active`` is there, and may be anything.

        Raises:
            CredentialsRejected: The issuer does not accept who we say we are.
            IssuerUnavailable: There is no answer that can be understood.
        """
        self._check_pause()
        try:
            document = await self._request(token)
        except IssuerUnavailable as exc:
            self._record_failure(exc)
            raise
        if self._failure is not None:
            _logger.warning("introspection at %s: available again", self._issuer)
        self._failures, self._failure, self._retry_at = 0, None, 0.0
        return document

    async def check_ready(self) -> None:
        """Return when the endpoint could be asked.

        Raises:
            IssuerUnavailable: It could not, or it refused us the last time.
        """
        await self._metadata.get()
        if isinstance(self._failure, CredentialsRejected):
            raise self._failure

    async def endpoint(self) -> str:
        """Return the address.

        Raises:
            IssuerUnavailable: The issuer names none, or cannot be asked for it.
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
            detail = f"POST {endpoint}: {response.status}, it refuses our own credentials; see python -m service check"
            raise CredentialsRejected(detail, retry_after=PAUSE_AFTER_REJECTION)
        if response.status != 200:
            raise _UnexpectedResponse(endpoint, response)
        if self._signed:
            document = await self._signed.read(endpoint, response)
        else:
            try:
                document = encoding.decode_json_object(response.body)
            except ValueError:  # its words may quote the answer
                raise IssuerUnavailable(f"POST {endpoint}: the answer is not a JSON object") from None
        if "active" not in document:
            raise IssuerUnavailable(f"POST {endpoint}: the answer does not say whether the token is active")
        return document

    def _check_pause(self) -> None:
        now = self._clock.monotonic()
        if self._failure is not None and now < self._retry_at:
            raise IssuerUnavailable(self._failure.detail, retry_after=self._retry_at - now)
        if self._failures >= FAILURES_BEFORE_PAUSE:
            self._retry_at = now + TOTAL_TIMEOUT  # this question is the probe; the others wait for what becomes of it

    def _record_failure(self, failure: IssuerUnavailable) -> None:
        """Remember a failure, and leave the issuer alone for as long as it calls for."""
        if self._failure is None or self._failure.detail != failure.detail:
            level = logging.ERROR if isinstance(failure, CredentialsRejected) else logging.WARNING
            _logger.log(level, "introspection at %s: %s", self._issuer, failure.detail)
        status = failure.status if isinstance(failure, _UnexpectedResponse) else None
        if status == 400:
            return  # it may be this one token that it dislikes, and nobody may silence the others with it
        self._failures += 1
        self._failure = failure
        self._retry_at = self._clock.monotonic()
        if status == 429 or isinstance(failure, CredentialsRejected):
            self._retry_at += failure.retry_after
        elif self._failures >= FAILURES_BEFORE_PAUSE:
            self._retry_at += max(PAUSE, failure.retry_after)


class _UnexpectedResponse(IssuerUnavailable):
    """The endpoint answered, and not with 200."""

    def __init__(self, endpoint: str, response: FormResponse) -> None:
        super().__init__(f"POST {endpoint}: expected 200, got {response.status}", retry_after=response.retry_after)
        self.status = response.status
