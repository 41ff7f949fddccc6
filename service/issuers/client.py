"""Fetches JSON from issuers through one pooled HTTP client; every limit of that client is set here."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pycurl
from tornado.curl_httpclient import CurlError
from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse

from service.errors import IssuerUnavailable
from service.instrumentation import Instrumentation, Observers
from service.issuers.failures import NoFreeConnection, NotJSON, UnexpectedStatus, check_response
from service.issuers.transport.certificates import find_certificates
from service.issuers.transport.observation import observed
from service.issuers.transport.pool import CurlClient
from service.issuers.transport.proxies import ProxyRules, configure_proxy
from service.issuers.transport.response_fields import read_date, read_max_age, read_retry_after
from service.tokens import encoding
from service.tracing.current import outside_requests
from service.tracing.spans import Tracing

CONNECT_TIMEOUT = 2.0
"""Seconds within which a connection must be established."""
TOTAL_TIMEOUT = 5.0
"""Seconds for the whole exchange; a timeout per read would not end a response of one byte a second."""
MAX_BODY_SIZE = 512 * 1024
"""Bytes of a response; a key set has a few thousand."""
MAX_CONNECTIONS = 10
"""Connections for introspection requests; further requests wait for a free one."""
MAX_QUEUED = 1000
"""Introspection requests that may wait for a connection; further ones fail at once, which bounds memory."""
_SPARE_CONNECTIONS = 3  # for discovery, key sets and probes, which slow introspection requests must not delay
_CONNECTION_LOST = frozenset({pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR})


@dataclass(frozen=True, kw_only=True, slots=True)
class JSONResponse:
    """A JSON object from an issuer, its URL, and how long it may be cached."""

    url: str
    document: dict[str, Any]
    max_age: float | None
    """Seconds from ``Cache-Control``, or None if the response has no ``max-age`` (RFC 9111 section 5.2.2.1)."""
    date: float | None
    """The issuer's time in seconds since the epoch, or None without a valid ``Date`` (RFC 9110 section 6.6.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FormResponse:
    """The response to a posted form, of any status; ``repr`` omits the body, which may contain claims of a token."""

    status: int
    media_type: str
    body: bytes = field(repr=False)
    retry_after: float
    """Seconds to wait before the next request, as the server requires; 1 by default."""


class JSONClient:
    """Sends requests to issuers, and raises :class:`IssuerUnavailable` for every failure.

    Redirects are not followed, since a redirect could point to an address inside our own network.
    Compressed bodies are not accepted, since a small response could decompress to a huge one.

    Args:
        proxy: The proxy to use, ``[scheme://][user:password@]host[:port]``; by default, that of the environment.
        ca_file: Path of the CA certificates to trust; by default, ``SSL_CERT_FILE``, or those of the system.
        instrumentation: Receives a call for each request.
        tracing: Creates a span for each request, and propagates the trace; None if tracing is off.

    Raises:
        SettingsError: A proxy or the file of certificates, also one in the environment, cannot be used.
    """

    def __init__(
        self,
        *,
        proxy: str | None = None,
        ca_file: str | None = None,
        instrumentation: Instrumentation | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._tracing = tracing
        self._instrumentation = instrumentation or Observers()
        self._proxies = ProxyRules(proxy, os.environ)
        self._certificates = find_certificates(ca_file, os.environ)
        self._options: dict[str, Any] = {
            "ca_certs": self._certificates.file,
            "connect_timeout": CONNECT_TIMEOUT,
            "follow_redirects": False,
            "decompress_response": False,
            "validate_cert": True,
            "user_agent": "tornado-resource-server",
        }
        self._http: CurlClient | None = None
        self._connections = asyncio.Semaphore(MAX_CONNECTIONS)
        self._queued = 0

    async def get(self, url: str, *, purpose: str = "document") -> JSONResponse:
        """Return the JSON object at a URL.

        Args:
            purpose: The kind of document, in the name of the span.

        Raises:
            IssuerUnavailable: The request failed, or the response is not a JSON object; the detail says which.
        """
        request = HTTPRequest(url, headers={"Accept": "application/json"})
        deadline = asyncio.get_running_loop().time() + TOTAL_TIMEOUT
        return _parse_json(url, await self._fetch(request, deadline=deadline, purpose=purpose))

    async def post(
        self, url: str, form: Mapping[str, str], *, headers: Mapping[str, str], is_queued: bool = True
    ) -> FormResponse:
        """Return the response to a posted form; only for idempotent requests, since a lost connection causes a retry.

        Args:
            is_queued: Whether to wait for one of ``MAX_CONNECTIONS``; otherwise, a spare connection is used.

        Raises:
            NoFreeConnection: The request was not sent.
            IssuerUnavailable: There was no response; the detail says why, and contains nothing of the form.
        """
        deadline = asyncio.get_running_loop().time() + TOTAL_TIMEOUT
        request = HTTPRequest(
            url,
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
            body=urllib.parse.urlencode(form),
        )
        async with self._connection(url, deadline=deadline) if is_queued else contextlib.nullcontext():
            response = await self._fetch(request, deadline=deadline, purpose="introspection")
        return FormResponse(
            status=response.code,
            media_type=response.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            body=response.body,
            retry_after=read_retry_after(response),
        )

    def close(self) -> None:
        """Close all connections; requests in progress fail."""
        if self._http is not None:
            self._http.close()
            self._http = None

    @contextlib.asynccontextmanager
    async def _connection(self, url: str, *, deadline: float) -> AsyncIterator[None]:
        """Reserve a connection while the block runs; curl's own queue has neither a maximum length nor a timeout."""
        if self._queued >= MAX_QUEUED:
            raise NoFreeConnection(f"{url}: {MAX_QUEUED} requests are already waiting for a connection")
        self._queued += 1
        try:
            async with asyncio.timeout_at(deadline):
                await self._connections.acquire()
        except TimeoutError:
            raise NoFreeConnection(f"{url}: no connection was free within {TOTAL_TIMEOUT:.0f} s") from None
        finally:
            self._queued -= 1
        try:
            yield
        finally:
            self._connections.release()

    async def _fetch(self, request: HTTPRequest, *, deadline: float, purpose: str) -> HTTPResponse:
        """Return the response of any status, retrying once when a proxy or a restart drops the connection.

        Args:
            deadline: The time at which to give up, in the event loop's clock.

        Raises:
            IssuerUnavailable: There was no response.
        """
        try:
            try:
                return await self._fetch_once(request, deadline=deadline, purpose=purpose)
            except CurlError as exc:
                if exc.errno not in _CONNECTION_LOST:
                    raise
                await asyncio.sleep(random.uniform(0.02, 0.1))  # noqa: S311  # jitter, not a secret
                return await self._fetch_once(request, deadline=deadline, purpose=purpose)
        except HTTPClientError as exc:
            raise IssuerUnavailable(f"{request.method} {request.url}: {exc.message}") from exc

    async def _fetch_once(self, request: HTTPRequest, *, deadline: float, purpose: str) -> HTTPResponse:
        for name, value in self._options.items():
            setattr(request, name, value)
        request.headers["Accept-Encoding"] = "identity"
        request.prepare_curl_callback = partial(self._prepare, request.url)
        # curl takes 0 as no timeout
        request.request_timeout = max(deadline - asyncio.get_running_loop().time(), 0.001)
        with observed(
            request, purpose=purpose, instrumentation=self._instrumentation, tracing=self._tracing
        ) as respond:
            response = await self._client().fetch(request, raise_error=False)
            respond(response)
            check_response(request.method, request.url, response)
        return response

    def _prepare(self, url: str, curl: pycurl.Curl) -> None:
        configure_proxy(curl, self._proxies.choose(url), ca_file=self._certificates.file)
        if self._certificates.folder is not None:
            curl.setopt(pycurl.CAPATH, self._certificates.folder)

    def _client(self) -> CurlClient:
        # Created at the first request, because the client binds to the event loop that is running then.
        if self._http is None:
            # At DEBUG, Tornado logs each header and body that curl sends: our client secret and the clients' tokens.
            logging.getLogger("tornado.curl_httpclient").setLevel(logging.INFO)
            self._http = outside_requests().run(  # its timers outlive the request
                CurlClient,
                force_instance=True,
                max_clients=MAX_CONNECTIONS + _SPARE_CONNECTIONS,
                max_body_size=MAX_BODY_SIZE,
            )
        return self._http


def _parse_json(url: str, response: HTTPResponse) -> JSONResponse:
    if response.code != 200:
        raise UnexpectedStatus("GET", url, response.code, retry_after=read_retry_after(response))
    try:
        document = encoding.decode_document(response.body)
    except ValueError as exc:
        raise NotJSON(f"GET {url}: the response is not a JSON object: {exc}") from exc
    return JSONResponse(
        url=url, document=document, max_age=read_max_age(response.headers), date=read_date(response.headers)
    )
