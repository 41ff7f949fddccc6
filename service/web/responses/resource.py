"""The resource identifier of this server and the URL of its metadata (RFC 9728 sections 1.2 and 3.1)."""

from __future__ import annotations

import functools
import urllib.parse
from dataclasses import dataclass
from typing import Self

from service.settings.program import Settings
from service.urls import DEFAULT_PORTS

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """The protected resource.

    Args:
        public_url: Its resource identifier; None if it is taken from each request.
        authorization_servers: The issuers whose tokens are accepted.
    """

    public_url: str | None = None
    authorization_servers: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the resource that the settings describe."""
        servers = tuple(issuer.issuer for issuer in settings.trusted_issuers)
        return cls(public_url=settings.public_url, authorization_servers=servers)

    @functools.cached_property
    def metadata_url(self) -> str | None:
        """The URL of its metadata, with the well-known path between host and path; None without a public URL."""
        if self.public_url is None:
            return None  # the Host of a request, which the client chooses, must not enter a header
        return f"{self.origin}{WELL_KNOWN}{self.path}"

    @functools.cached_property
    def origin(self) -> str | None:
        """The origin of its identifier; None without a public URL."""
        if self.public_url is None:
            return None
        parts = urllib.parse.urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @functools.cached_property
    def page_origin(self) -> str | None:
        """The origin of its pages as browsers write it: lower case, no default port; None without a public URL."""
        if self.public_url is None:
            return None
        parts = urllib.parse.urlsplit(self.public_url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        is_default = parts.port in {None, DEFAULT_PORTS[parts.scheme]}
        return f"{parts.scheme}://{host}" if is_default else f"{parts.scheme}://{host}:{parts.port}"

    @functools.cached_property
    def path(self) -> str:
        """The path of its identifier; empty if it is only a slash (RFC 9728 section 3.1)."""
        path = urllib.parse.urlsplit(self.public_url or "").path
        return "" if path == "/" else path
