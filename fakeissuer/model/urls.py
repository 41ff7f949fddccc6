"""The issuer's URLs: fixed at start, and never on one of Okta's domains."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fakeissuer.errors import SettingsError
from fakeissuer.model.servers import Server

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
    """The URL on which the issuer listens, and its public URL."""

    listening_url: str
    public_url: str

    @property
    def hosts(self) -> frozenset[str]:
        """The host names and addresses of the issuer, without ports and brackets."""
        return frozenset(urlsplit(url).hostname or "" for url in (self.listening_url, self.public_url))

    def base_url(self, server: Server, requested_url: str | None = None) -> str:
        """Return the URL before ``/oauth2``: a DYNAMIC server uses the URL of the request if it is valid."""
        if server.issuer_mode == "DYNAMIC" and requested_url is not None and _is_usable_base_url(requested_url):
            return requested_url
        return self.listening_url if server.issuer_mode == "ORG_URL" else self.public_url

    def endpoints(self, server: Server, requested_url: str | None = None) -> str:
        """Return the URL of a server below which its endpoints are, without a slash at the end."""
        base = self.base_url(server, requested_url)
        return f"{base}/oauth2/v1" if server.is_org else f"{base}/oauth2/{server.id}/v1"

    def issuer(self, server: Server, requested_url: str | None = None) -> str:
        """Return the issuer identifier of a server: like Okta's, without a slash at its end."""
        base = self.base_url(server, requested_url)
        return base if server.is_org else f"{base}/oauth2/{server.id}"
