"""What this resource server is called, and where it says so (RFC 9728 sections 1.2 and 3.1)."""

from __future__ import annotations

import functools
import urllib.parse
from dataclasses import dataclass

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, kw_only=True)
class Resource:
    """The protected resource as its clients know it.

    Args:
        public_url: Its resource identifier; None where each request tells.
        authorization_servers: The issuers whose tokens are accepted.
    """

    public_url: str | None = None
    authorization_servers: tuple[str, ...] = ()

    @functools.cached_property
    def metadata_url(self) -> str | None:
        """Where its metadata is: the well-known path comes between the host and the path of the resource."""
        if self.public_url is None:
            return None  # nothing from a request enters a header, and a Host field is whatever the client wrote
        return f"{self.origin}{WELL_KNOWN}{self.path}"

    @functools.cached_property
    def origin(self) -> str | None:
        """The part of its identifier before the path."""
        if self.public_url is None:
            return None
        parts = urllib.parse.urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @functools.cached_property
    def path(self) -> str:
        """The path of its identifier; the slash that is all of a path is none (RFC 9728 section 3.1)."""
        path = urllib.parse.urlsplit(self.public_url or "").path
        return "" if path == "/" else path
