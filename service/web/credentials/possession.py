"""Reads what a request offers to prove that its sender holds the key of its token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tornado.httputil import HTTPServerRequest

from service.settings.program import Settings
from service.tokens.binding.possession import Possession
from service.web.credentials.client_certificate import certificate_source
from service.web.credentials.external_url import external_url

CertificateOf = Callable[[HTTPServerRequest], str | None]
"""Returns the SHA-256 hash of the client's certificate in base64url, or None."""
URLOf = Callable[[HTTPServerRequest], str | None]
"""Returns the URL of a request as the client sees it, or None if it is unknown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PossessionReader:
    """Reads the proofs of requests.

    Args:
        url_of: Returns the URL that a proof must name.
        certificate_of: Returns the client's certificate; None if the service reads none.
    """

    url_of: URLOf
    certificate_of: CertificateOf | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the reader that the settings describe."""
        return cls(
            url_of=lambda request: external_url(request, settings.public_url),
            certificate_of=certificate_source(settings),
        )

    def read(
        self,
        request: HTTPServerRequest,
        *,
        target: tuple[str, str | None] | None = None,
        scope: str = "",
        dpop: str | None = None,
        needs_nonce: bool | None = None,
    ) -> Possession:
        """Return what a request offers.

        Args:
            target: The method and the URL that the client has sent; by default, those of the request.
            scope: The handler, whose nonces no other one accepts.
            dpop: The mode of the handler, or None if it has none of its own.
            needs_nonce: Whether the handler requires a nonce, or None if it says nothing about it.
        """
        method, url = target or (request.method or "", self.url_of(request))
        return Possession(
            proofs=tuple(request.headers.get_list("DPoP")),
            method=method,
            url=url,
            scope=scope,
            dpop=dpop,
            needs_nonce=needs_nonce,
            certificate=None if self.certificate_of is None else self.certificate_of(request),
        )
