"""Authorization server metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient, JSONResponse
from service.issuers.failures import UnexpectedStatus
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy
from service.tokens.issuer_identifier import is_okta_custom_server, is_okta_org_server
from service.urls import is_loopback, is_secure


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationServerMetadata:
    """The members of a discovery document that a resource server needs.

    Args:
        issuer: The issuer identifier.
        jwks_uri: The URL of the key set, or None if the issuer publishes no keys.
        introspection_endpoint: The URL of the introspection endpoint, or None if there is none.
        introspection_methods: The client authentication methods of that endpoint, or None if the document lists none.
    """

    issuer: str
    jwks_uri: str | None
    introspection_endpoint: str | None
    introspection_methods: tuple[str, ...] | None

    @classmethod
    def read(cls, document: Mapping[str, Any], *, issuer: str) -> AuthorizationServerMetadata:
        """Return the metadata in an issuer's discovery document (RFC 8414 section 3.3).

        Raises:
            ValueError: The document names another issuer, or a URL that is not secure.
        """
        check_issuer(document, issuer)
        methods = document.get("introspection_endpoint_auth_methods_supported")
        endpoint = _read_url(document, "introspection_endpoint", issuer=issuer)
        return cls(
            issuer=issuer,
            jwks_uri=_read_url(document, "jwks_uri", issuer=issuer),
            introspection_endpoint=endpoint or okta_introspection_endpoint(issuer),
            introspection_methods=tuple(map(str, methods)) if isinstance(methods, list) else None,
        )


def check_issuer(document: Mapping[str, Any], issuer: str) -> None:
    """Check that a discovery document names the issuer it was requested from (RFC 8414 section 3.3).

    Raises:
        ValueError: It names another issuer.
    """
    if document.get("issuer") != issuer:
        # An attacker who controls one issuer could otherwise impersonate another (RFC 8414 section 6.2).
        raise ValueError(f"expected issuer {issuer!r}, found {document.get('issuer')!r} in the document")


def read_jwks_uri(document: Mapping[str, Any], *, issuer: str) -> str:
    """Return the URL of the key set in an issuer's discovery document.

    Raises:
        ValueError: The document has no ``jwks_uri``, or one that is not secure.
    """
    jwks_uri = _read_url(document, "jwks_uri", issuer=issuer)
    if jwks_uri is None:
        raise ValueError("the document has no jwks_uri")
    return jwks_uri


def okta_introspection_endpoint(issuer: str) -> str | None:
    """Return Okta's default introspection endpoint, or None for other issuers."""
    if is_okta_custom_server(issuer):
        return f"{issuer}/v1/introspect"
    return f"{issuer}/oauth2/v1/introspect" if is_okta_org_server(issuer) else None


def _read_url(document: Mapping[str, Any], name: str, *, issuer: str) -> str | None:
    url = document.get(name)
    if not isinstance(url, str):
        return None
    if urllib.parse.urlsplit(url).scheme == "https" and is_secure(url):
        return url
    # An https issuer that names a loopback address would make the service send tokens and its client secret in clear
    # text to another program on this machine, or to a proxy.
    if _has_same_origin(issuer, url):
        return url  # the settings accept an issuer without TLS, and all its endpoints on the same host
    if not is_loopback(urllib.parse.urlsplit(issuer).hostname):
        raise ValueError(f"{name} was {url!r}; expected https")
    if not is_secure(url):
        raise ValueError(f"{name} was {url!r}; expected https, or a loopback address like that of the issuer")
    return url


def _has_same_origin(url: str, other: str) -> bool:
    return urllib.parse.urlsplit(url)[:2] == urllib.parse.urlsplit(other)[:2]


def remote_metadata(
    issuer: str, *, client: JSONClient, clock: Clock, policy: RefreshPolicy | None = None
) -> RefreshingCache[AuthorizationServerMetadata]:
    """Return a cache of an issuer's metadata, which is fetched on first use."""
    return RefreshingCache(lambda: discover(issuer, client), name=f"discovery of {issuer}", clock=clock, policy=policy)


async def discover(issuer: str, client: JSONClient) -> Loaded[AuthorizationServerMetadata]:
    """Fetch an issuer's metadata.

    Raises:
        IssuerUnavailable: The discovery document is unavailable or invalid.
    """
    response = await fetch_discovery_document(issuer, client)
    try:
        metadata = AuthorizationServerMetadata.read(response.document, issuer=issuer)
    except ValueError as exc:
        raise IssuerUnavailable(f"discovery of {issuer}: {exc}") from exc
    return Loaded(value=metadata, max_age=response.max_age)


async def fetch_discovery_document(issuer: str, client: JSONClient) -> JSONResponse:
    """Return the unverified discovery document from OpenID's URL, or from RFC 8414's if that is 404.

    Raises:
        IssuerUnavailable: Neither URL has a JSON object.
    """
    try:
        return await client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    except UnexpectedStatus as exc:
        if exc.status != 404:
            raise
        return await client.get(_oauth_metadata_url(issuer))


def _oauth_metadata_url(issuer: str) -> str:
    """Return the URL of RFC 8414 section 3.1, with the well-known part between the issuer's host and path."""
    parts = urllib.parse.urlsplit(issuer)
    path = f"/.well-known/oauth-authorization-server{parts.path.rstrip('/')}"
    return urllib.parse.urlunsplit(parts._replace(path=path))
