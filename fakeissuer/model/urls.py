"""The issuer's URLs: fixed at start, and never on one of Okta's domains."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from fakeissuer.errors import SettingsError
from fakeissuer.model.endpoints import EndpointName
from fakeissuer.model.layout import OKTA_LAYOUT, Layout
from fakeissuer.model.servers import IssuerMode, Server

# With one of these domains the fake could issue tokens for an issuer that real APIs trust.
_OKTA_DOMAINS = (
    "okta.com",
    "oktapreview.com",
    "okta-emea.com",
    "okta-gov.com",
    "okta.mil",
    "okta-miltest.com",
    "oktacdn.com",
    "trexcloud.com",
    "auth0.com",
)

_HOST_AND_PORT = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""A valid Host header (RFC 9110 section 7.2)."""


def is_okta_domain(host: str) -> bool:
    """Return whether a host name without port is one of Okta's domains or a subdomain."""
    host = host.lower().rstrip(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in _OKTA_DOMAINS)


def is_loopback(host: str) -> bool:
    """Return whether a host name or address, without port and brackets, is a loopback one."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_public_url(url: str) -> str:
    """Check and return a public URL.

    Raises:
        SettingsError: it is not an http or https URL of a host and optional path, or is on one of Okta's domains.
    """
    expected = "expected something like http://127.0.0.1:9400, without a slash at the end"
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as exc:
        raise SettingsError([f"--public-url: {url!r} is not a URL; {expected}"]) from exc
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise SettingsError([f"--public-url: {url!r} is not a plain http or https URL; {expected}"])
    if not _HOST_AND_PORT.fullmatch(parts.netloc) or url.endswith("/"):
        problem = f"--public-url: {url!r} names more than a host and a port, or ends with a slash; {expected}"
        raise SettingsError([problem])
    if is_okta_domain(host):
        raise SettingsError([f"--public-url: {host} belongs to Okta and must not be impersonated; {expected}"])
    return url


def _is_usable_base_url(requested_url: str) -> bool:
    # The client controls the Host header, which may be missing, malformed or one of Okta's domains.
    try:
        parts = urlsplit(requested_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return bool(host and _HOST_AND_PORT.fullmatch(requested_url.partition("://")[2])) and not is_okta_domain(host or "")


@dataclass(frozen=True)
class IssuerURLs:
    """The URL on which the issuer listens, its public URL, and the paths below both."""

    listening_url: str
    public_url: str
    layout: Layout = OKTA_LAYOUT

    @property
    def hosts(self) -> frozenset[str]:
        """The host names and addresses of the issuer, without ports and brackets."""
        return frozenset(urlsplit(url).hostname or "" for url in (self.listening_url, self.public_url))

    def of(self, server: Server, requested_url: str | None = None) -> ServerURLs:
        """Return the URLs of a server; ``requested_url`` is used as in ``server_urls``."""
        return server_urls(self, server.id, server.issuer_mode, requested_url)

    def endpoints(self, server: Server, requested_url: str | None = None) -> Mapping[EndpointName, str]:
        """Return the URLs of a server's endpoints; ``requested_url`` is used as in ``server_urls``."""
        return self.of(server, requested_url).endpoints

    def issuer(self, server: Server, requested_url: str | None = None) -> str:
        """Return the issuer identifier of a server; ``requested_url`` is used as in ``server_urls``."""
        return self.of(server, requested_url).issuer


@dataclass(frozen=True)
class ServerURLs:
    """The URLs of one server; ``base_url`` is the part before the paths of the layout."""

    base_url: str
    issuer: str
    documents: Mapping[str, str]
    endpoints: Mapping[EndpointName, str]


@lru_cache(maxsize=256)
def server_urls(
    urls: IssuerURLs, server_id: str, issuer_mode: IssuerMode, requested_url: str | None = None
) -> ServerURLs:
    """Return the URLs of a server; those of a DYNAMIC server begin with ``requested_url`` if that is a valid URL."""
    base_url = urls.listening_url if issuer_mode == "ORG_URL" else urls.public_url
    if issuer_mode == "DYNAMIC" and requested_url is not None and _is_usable_base_url(requested_url):
        base_url = requested_url
    return ServerURLs(
        base_url=base_url,
        issuer=base_url + urls.layout.issuer_path(server_id),
        documents={name: base_url + path for name, path in urls.layout.document_paths(server_id).items()},
        endpoints={name: base_url + path for name, path in urls.layout.endpoint_paths(server_id).items()},
    )
