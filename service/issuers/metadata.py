"""What an authorization server publishes about itself (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient, JSONResponse, UnexpectedStatus
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy
from service.tokens.issuer_identifier import is_okta_custom_server, is_okta_org_server
from service.urls import is_secure


@dataclass(frozen=True, kw_only=True, slots=True)
class AuthorizationServerMetadata:
    """The members of a discovery document that a resource server needs.

    Args:
        jwks_uri: Where the key set is; None for an issuer that only answers questions.
        introspection_endpoint: Where questions about tokens go; None where there is no such place.
        introspection_methods: The methods of client authentication there; None where the document is silent.
    """

    issuer: str
    jwks_uri: str | None
    introspection_endpoint: str | None
    introspection_methods: tuple[str, ...] | None

    @classmethod
    def read(cls, document: Mapping[str, Any], *, issuer: str) -> AuthorizationServerMetadata:
        """Return the metadata of the issuer that was asked (RFC 8414 section 3.3).

        Raises:
            ValueError: The document speaks for another issuer, or names an address that is not safe to ask.
        """
        check_issuer(document, issuer)
        methods = document.get("introspection_endpoint_auth_methods_supported")
        endpoint = _read_url(document, "introspection_endpoint")
        return cls(
            issuer=issuer,
            jwks_uri=_read_url(document, "jwks_uri"),
            introspection_endpoint=endpoint or okta_introspection_endpoint(issuer),
            introspection_methods=tuple(map(str, methods)) if isinstance(methods, list) else None,
        )


def check_issuer(document: Mapping[str, Any], issuer: str) -> None:
    """Refuse a document that speaks for another issuer than the one that was asked (RFC 8414 section 3.3).

    Raises:
        ValueError: It does.
    """
    if document.get("issuer") != issuer:
        # Whoever can answer for one address must not speak for another: the mix-up of RFC 8414 section 6.2.
        raise ValueError(f"expected issuer {issuer!r}, the document says {document.get('issuer')!r}")


def read_jwks_uri(document: Mapping[str, Any]) -> str:
    """Return where a document says the key set is.

    Raises:
        ValueError: It names no key set, or none that can be fetched safely.
    """
    jwks_uri = _read_url(document, "jwks_uri")
    if jwks_uri is None:
        raise ValueError("the document has no jwks_uri")
    return jwks_uri


def okta_introspection_endpoint(issuer: str) -> str | None:
    """Return where Okta answers questions about tokens, should its document not say so; None for other issuers."""
    if is_okta_custom_server(issuer):
        return f"{issuer}/v1/introspect"
    return f"{issuer}/oauth2/v1/introspect" if is_okta_org_server(issuer) else None


def _read_url(document: Mapping[str, Any], name: str) -> str | None:
    url = document.get(name)
    if not isinstance(url, str):
        return None
    if not is_secure(url):
        raise ValueError(f"{name} {url!r} is neither https nor on this machine")
    return url


def remote_metadata(
    issuer: str, *, client: JSONClient, clock: Clock, policy: RefreshPolicy | None = None
) -> RefreshingCache[AuthorizationServerMetadata]:
    """Return an issuer's metadata, fetched when it is first needed and kept up."""
    return RefreshingCache(lambda: discover(issuer, client), name=f"discovery of {issuer}", clock=clock, policy=policy)


async def discover(issuer: str, client: JSONClient) -> Loaded[AuthorizationServerMetadata]:
    """Fetch the discovery document, by OpenID's address first and by RFC 8414's where that has none.

    Raises:
        IssuerUnavailable: Neither address has a document that this issuer may publish.
    """
    response = await fetch_discovery_document(issuer, client)
    try:
        metadata = AuthorizationServerMetadata.read(response.document, issuer=issuer)
    except ValueError as exc:
        raise IssuerUnavailable(f"discovery of {issuer}: {exc}") from exc
    return Loaded(value=metadata, max_age=response.max_age)


async def fetch_discovery_document(issuer: str, client: JSONClient) -> JSONResponse:
    """Return the discovery document as it was found, believed by nobody yet.

    Raises:
        IssuerUnavailable: Neither address has one.
    """
    try:
        return await client.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    except UnexpectedStatus as exc:
        if exc.status != 404:
            raise
        return await client.get(_oauth_metadata_url(issuer))


def _oauth_metadata_url(issuer: str) -> str:
    """Return the RFC 8414 section 3.1 address, which stands between the issuer's host and its path."""
    parts = urllib.parse.urlsplit(issuer)
    path = f"/.well-known/oauth-authorization-server{parts.path.rstrip('/')}"
    return urllib.parse.urlunsplit(parts._replace(path=path))
