"""JSON from an issuer over one pooled HTTP client, with every limit set in this one place."""

from __future__ import annotations

import asyncio
import email.utils
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pycurl
from tornado.curl_httpclient import CurlAsyncHTTPClient, CurlError
from tornado.httpclient import HTTPClientError, HTTPRequest, HTTPResponse

from service.errors import IssuerUnavailable
from service.tokens import strict_json

__all__ = ["Answer", "JSONClient", "UnexpectedStatus"]

CONNECT_TIMEOUT = 2.0
"""Seconds until a connection must stand."""
TOTAL_TIMEOUT = 5.0
"""Seconds for the whole exchange, so that an issuer that drips a byte a second cannot hold us."""
MAX_BODY_SIZE = 512 * 1024
"""Bytes; a key set has a few thousand."""
_CONNECTIONS = 10
_DROPPED = frozenset({pycurl.E_GOT_NOTHING, pycurl.E_PARTIAL_FILE, pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR})
_LONGEST_PAUSE = 60.0


class UnexpectedStatus(IssuerUnavailable):
    """The issuer answered, and not with 200."""

    def __init__(self, url: str, status: int, *, retry_after: float) -> None:
        super().__init__(f"GET {url}: expected 200, got {status}", retry_after=retry_after)
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A JSON object from an issuer, where it came from, and for how long it may be kept."""

    url: str
    document: dict[str, Any]
    max_age: float | None
    """Seconds from ``Cache-Control``; None where the issuer does not say (RFC 9111 section 5.2.2.1)."""
    date: float | None
    """The issuer's time in seconds since the epoch; None where it does not say (RFC 9110 section 6.6.1)."""


class JSONClient:
    """Asks issuers, and turns everything that can go wrong into :class:`IssuerUnavailable`.

    Redirects are not followed, since a redirected request can be led to an address inside our own network.
    Compressed bodies are not asked for: a small answer could unpack to a huge one.

    Args:
        proxy: ``http://[user:password@]host:port`` of a proxy to go through.
        ca_file: Path of the certificates to trust instead of the system's.
    """

    def __init__(self, *, proxy: str | None = None, ca_file: str | None = None) -> None:
        self._options: dict[str, Any] = {"ca_certs": ca_file, **_proxy_options(proxy)}
        self._http: CurlAsyncHTTPClient | None = None

    async def get(self, url: str) -> Answer:
        """Return the JSON object at an address.

        Raises:
            IssuerUnavailable: There is none to be had; the detail says what came instead.
        """
        end = asyncio.get_running_loop().time() + TOTAL_TIMEOUT
        try:
            try:
                response = await self._fetch(url, until=end)
            except CurlError as exc:
                if exc.errno not in _DROPPED:
                    raise
                # A proxy or a restart took the connection away: once more, at once, in what is left of the time.
                response = await self._fetch(url, until=end)
        except HTTPClientError as exc:
            raise IssuerUnavailable(f"GET {url}: {exc.message}") from exc
        return _read(url, response)

    def close(self) -> None:
        """Close the pool; requests under way fail."""
        if self._http is not None:
            self._http.close()
            self._http = None

    async def _fetch(self, url: str, *, until: float) -> HTTPResponse:
        """Return the answer, whatever its status.

        Args:
            until: When to give up, by the clock of the event loop.

        Raises:
            HTTPClientError: There was no answer.
        """
        request = HTTPRequest(
            url,
            headers={"Accept": "application/json"},
            connect_timeout=CONNECT_TIMEOUT,
            request_timeout=max(until - asyncio.get_running_loop().time(), 0.001),  # to curl, 0 means for ever
            follow_redirects=False,
            decompress_response=False,
            validate_cert=True,
            user_agent="tornado-resource-server",
            **self._options,
        )
        return await self._client().fetch(request, raise_error=False)

    def _client(self) -> CurlAsyncHTTPClient:
        # Made at the first request, since it belongs to the event loop that runs then.
        if self._http is None:
            self._http = CurlAsyncHTTPClient(force_instance=True, max_clients=_CONNECTIONS, max_body_size=MAX_BODY_SIZE)
        return self._http


def _read(url: str, response: HTTPResponse) -> Answer:
    if response.code != 200:
        raise UnexpectedStatus(url, response.code, retry_after=_retry_after(response.headers))
    try:
        document = strict_json.read_object(response.body)
    except ValueError as exc:
        raise IssuerUnavailable(f"GET {url}: the answer is not a JSON object: {exc}") from exc
    return Answer(url=url, document=document, max_age=_max_age(response.headers), date=_date(response.headers))


def _max_age(headers: Mapping[str, str]) -> float | None:
    fields = (directive.strip().partition("=") for directive in headers.get("Cache-Control", "").lower().split(","))
    directives = {name: value.strip('"') for name, _, value in fields}
    if directives.keys() & {"no-store", "no-cache"}:
        return 0.0
    max_age = directives.get("max-age", "")
    return float(max_age) if max_age.isdecimal() else None


def _date(headers: Mapping[str, str]) -> float | None:
    try:
        date = email.utils.parsedate_to_datetime(headers.get("Date", "")).timestamp()
    except (ValueError, OverflowError):
        return None
    age = headers.get("Age", "")  # a cache on the way hands on the Date of the day it asked (RFC 9111 section 5.1)
    return date + int(age) if age.isdecimal() and len(age) < 10 else date


def _retry_after(headers: Mapping[str, str]) -> float:
    value = headers.get("Retry-After", "")
    return min(float(value), _LONGEST_PAUSE) if value.isdecimal() else 1.0


def _proxy_options(proxy: str | None) -> dict[str, Any]:
    if proxy is None:
        return {}
    parts = urllib.parse.urlsplit(proxy)
    return {
        "proxy_host": parts.hostname,
        "proxy_port": parts.port or 8080,
        "proxy_username": urllib.parse.unquote(parts.username) if parts.username else None,
        "proxy_password": urllib.parse.unquote(parts.password) if parts.password else None,
    }
