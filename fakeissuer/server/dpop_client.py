"""A client with a DPoP key (RFC 9449), for tests of an API and of the issuer itself."""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from fakeissuer.jose.raw_jws import base64url, encode_compact
from fakeissuer.model.identifiers import random_text
from fakeissuer.oauth.dpop import jwk_thumbprint

_TIMEOUT_S = 10
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class DPoPResponse:
    """The response to a request of a :class:`DPoPClient`; its body may contain tokens, so the repr omits it."""

    status: int
    headers: http.client.HTTPMessage = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class DPoPClient:
    """A client that proves with each request that it holds its key.

    It keeps the last nonce of each URL, and repeats a request once that was rejected for its nonce. The key is new.

    Args:
        alg: The algorithm of the proofs.
        kind: The kind of key, such as ``RSA-1024``; by default the usual one of the algorithm.
        now: The time of the proofs, in seconds since the epoch; pass ``fake_issuer.clock.now`` if a test moves it.
        ca_file: Path of the CA certificate of a server with TLS.
    """

    def __init__(
        self,
        alg: str = "ES256",
        *,
        kind: str | None = None,
        now: Callable[[], float] = time.time,
        ca_file: str | None = None,
    ) -> None:
        from fakeissuer.jose import keys  # noqa: PLC0415  # loading jwcrypto takes longer than the rest

        self._key = keys.create_key(random_text(), alg, kind or keys.KIND_OF_ALGORITHM[alg])
        self._sign = keys.sign_input
        self._alg = alg
        self._now = now
        self._ca_file = ca_file
        self._nonces: dict[str, str] = {}
        self.public_jwk: dict[str, Any] = {
            name: value for name, value in self._key.public.items() if name not in {"alg", "kid", "use"}
        }
        """The public key, as it is in the header of each proof."""

    @property
    def thumbprint(self) -> str:
        """The thumbprint of the key (RFC 7638), for ``dpop_jkt`` and for a token's ``cnf.jkt``."""
        return jwk_thumbprint(self.public_jwk)

    def proof(
        self,
        method: str,
        url: str,
        *,
        access_token: str | None = None,
        header: Mapping[str, Any] | None = None,
        claims: Mapping[str, Any] | None = None,
    ) -> str:
        """Return a proof for one request (RFC 9449 section 4.2), with the last nonce of the URL.

        Args:
            access_token: The token that is sent with it.
            header: Parameters in place of the usual ones, for a bad proof; None removes one.
            claims: Claims in place of the usual ones; None removes one.
        """
        target = _without_query(url)
        usual: dict[str, Any] = {"jti": random_text(), "htm": method, "htu": target, "iat": int(self._now())}
        if access_token is not None:
            usual["ath"] = base64url(hashlib.sha256(access_token.encode()).digest())
        if target in self._nonces:
            usual["nonce"] = self._nonces[target]
        parameters = {"typ": "dpop+jwt", "alg": self._alg, "jwk": self.public_jwk}
        return encode_compact(
            _encode(parameters | dict(header or {})),
            _encode(usual | dict(claims or {})),
            lambda signing_input: self._sign(self._key, self._alg, signing_input),
        )

    def headers(self, method: str, url: str, access_token: str) -> dict[str, str]:
        """Return the header fields of one request with a token."""
        proof = self.proof(method, url, access_token=access_token)
        return {"Authorization": f"DPoP {access_token}", "DPoP": proof}

    def remember_nonce(self, url: str, nonce: str | None) -> None:
        """Keep the value of the header field ``DPoP-Nonce`` of a response, if it has one."""
        if nonce is not None:
            self._nonces[_without_query(url)] = nonce

    def request(
        self,
        method: str,
        url: str,
        *,
        access_token: str | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> DPoPResponse:
        """Send a request, and once more if the server wants a nonce; it blocks until the response is there.

        Args:
            access_token: The token; None at the token endpoint.
            form: The parameters of a form body.
            headers: Further header fields.
        """
        response = self._send_once(method, url, access_token, form, headers or {})
        wants_nonce = response.status in {400, 401} and (
            b"use_dpop_nonce" in response.body or "use_dpop_nonce" in response.headers.get("WWW-Authenticate", "")
        )
        return self._send_once(method, url, access_token, form, headers or {}) if wants_nonce else response

    def _send_once(
        self,
        method: str,
        url: str,
        access_token: str | None,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str],
    ) -> DPoPResponse:
        sent = {"DPoP": self.proof(method, url)} if access_token is None else self.headers(method, url, access_token)
        sent |= headers
        if form is not None:
            sent["Content-Type"] = _FORM
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = self._connect(parts.scheme, parts.netloc)
        try:
            connection.request(method, target or "/", None if form is None else urlencode(form), sent)
            received = connection.getresponse()
            response = DPoPResponse(received.status, received.headers, received.read())
        finally:
            connection.close()
        self.remember_nonce(url, response.headers["DPoP-Nonce"])
        return response

    def _connect(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        if scheme == "https":
            context = ssl.create_default_context(cafile=self._ca_file)
            return http.client.HTTPSConnection(netloc, timeout=_TIMEOUT_S, context=context)
        return http.client.HTTPConnection(netloc, timeout=_TIMEOUT_S)


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _encode(members: Mapping[str, Any]) -> bytes:
    present = {name: value for name, value in members.items() if value is not None}
    return json.dumps(present, separators=(",", ":")).encode()
