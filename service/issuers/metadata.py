"""Authorization server metadata (OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3)."""

from __future__ import annotations

import urllib.parse
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import Any

from service.clock import Clock
from service.errors import IssuerUnavailable
from service.issuers.client import JSONClient, JSONResponse
from service.issuers.failures import NoDocument, NotJSON, UnexpectedStatus
from service.issuers.refreshing import Loaded, RefreshingCache, RefreshPolicy
from service.settings.profiles.locations import Locations
from service.settings.profiles.mistakes import TENANT_PLACEHOLDER
from service.tokens.issuer_identifier import find_tenant, is_okta_custom_server, is_okta_org_server
from service.urls import is_loopback, is_secure

ISSUER_SAYS = Locations()
"""Everything is where the issuer and its metadata say."""

_OPENID = "/.well-known/openid-configuration"
_OAUTH = "/.well-known/oauth-authorization-server"


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
    def read(
        cls, document: Mapping[str, Any], *, issuer: str, locations: Locations = ISSUER_SAYS
    ) -> AuthorizationServerMetadata:
        """Return the metadata in an issuer's discovery document (RFC 8414 section 3.3).

        Args:
            locations: The URLs in the settings, which take precedence over those of the document.

        Raises:
            ValueError: The document names another issuer, or a URL that is not secure.
        """
        check_issuer(document, issuer, metadata_url=locations.metadata_url)
        methods = document.get("introspection_endpoint_auth_methods_supported")
        base = locations.metadata_url or issuer
        jwks_uri = locations.jwks_uri
        if not locations.has_keys:
            jwks_uri = _read_url(document, "jwks_uri", base=base)
        endpoint = locations.introspection_endpoint or _read_url(document, "introspection_endpoint", base=base)
        return cls(
            issuer=issuer,
            jwks_uri=jwks_uri,
            introspection_endpoint=endpoint or okta_introspection_endpoint(issuer),
            introspection_methods=tuple(map(str, methods)) if isinstance(methods, list) else None,
        )


def check_issuer(document: Mapping[str, Any], issuer: str, *, metadata_url: str | None = None) -> None:
    """Check that a discovery document names the issuer it was requested from (RFC 8414 section 3.3).

    At a ``metadata_url`` it may name the issuer of that URL instead, since servers such as Keycloak put the host of the
    request there. Tokens must have the issuer of the settings all the same.

    Raises:
        ValueError: It names another issuer.
    """
    named = document.get("issuer")
    accepted = [issuer]
    if metadata_url is not None:
        accepted += _issuers_of_url(metadata_url)
        if isinstance(named, str) and (tenant := find_tenant(issuer)):
            named = named.replace(TENANT_PLACEHOLDER, tenant)  # Entra's document for all tenants
    if named not in accepted:
        # An attacker who controls one issuer could otherwise impersonate another (RFC 8414 section 6.2).
        expected = " or ".join(map(repr, dict.fromkeys(accepted)))
        raise ValueError(f"expected issuer {expected}, found {document.get('issuer')!r} in the document")


def _issuers_of_url(metadata_url: str) -> list[str]:
    """Return the issuers whose metadata has this URL (RFC 8414 section 3.1)."""
    parts = urllib.parse.urlsplit(metadata_url)
    issuers = []
    for suffix in (_OPENID, _OAUTH):
        start, found, rest = parts.path.partition(suffix)
        if found and not (start and rest) and (not rest or rest.startswith("/")):
            path = f"{start}{rest}"
            issuers += [urllib.parse.urlunsplit((*parts[:2], name, "", "")) for name in (path, f"{path}/")]
    return issuers


def read_jwks_uri(document: Mapping[str, Any], *, issuer: str, metadata_url: str | None = None) -> str:
    """Return the URL of the key set in an issuer's discovery document.

    Raises:
        ValueError: The document has no ``jwks_uri``, or one that is not secure.
    """
    jwks_uri = _read_url(document, "jwks_uri", base=metadata_url or issuer)
    if jwks_uri is None:
        raise ValueError("the document has no jwks_uri")
    return jwks_uri


def okta_introspection_endpoint(issuer: str) -> str | None:
    """Return Okta's default introspection endpoint, or None for other issuers."""
    if is_okta_custom_server(issuer):
        return f"{issuer}/v1/introspect"
    return f"{issuer}/oauth2/v1/introspect" if is_okta_org_server(issuer) else None


def _read_url(document: Mapping[str, Any], name: str, *, base: str) -> str | None:
    url = document.get(name)
    if not isinstance(url, str):
        return None
    if urllib.parse.urlsplit(url).scheme == "https" and is_secure(url):
        return url
    # An https issuer that names a loopback address would make the service send tokens and its client secret in clear
    # text to another program on this machine, or to a proxy.
    if _has_same_origin(base, url):
        return url  # the settings accept an issuer without TLS, and all its endpoints on the same host
    if not is_loopback(urllib.parse.urlsplit(base).hostname):
        raise ValueError(f"{name} was {url!r}; expected https; the setting {name} can name another URL")
    if not is_secure(url):
        raise ValueError(f"{name} was {url!r}; expected https, or a loopback address like that of the issuer")
    return url


def _has_same_origin(url: str, other: str) -> bool:
    return urllib.parse.urlsplit(url)[:2] == urllib.parse.urlsplit(other)[:2]


def remote_metadata(
    issuer: str,
    *,
    client: JSONClient,
    clock: Clock,
    policy: RefreshPolicy | None = None,
    locations: Locations = ISSUER_SAYS,
) -> RefreshingCache[AuthorizationServerMetadata]:
    """Return a cache of an issuer's metadata, which is fetched on first use."""

    def load() -> Awaitable[Loaded[AuthorizationServerMetadata]]:
        return discover(issuer, client, locations=locations)

    return RefreshingCache(load, name=f"discovery of {issuer}", clock=clock, policy=policy)


async def discover(
    issuer: str, client: JSONClient, *, locations: Locations = ISSUER_SAYS
) -> Loaded[AuthorizationServerMetadata]:
    """Fetch an issuer's metadata.

    Raises:
        IssuerUnavailable: The discovery document is unavailable or invalid.
    """
    response = await fetch_discovery_document(issuer, client, locations=locations)
    try:
        metadata = AuthorizationServerMetadata.read(response.document, issuer=issuer, locations=locations)
    except ValueError as exc:
        raise IssuerUnavailable(f"discovery of {issuer}: {exc}") from exc
    return Loaded(value=metadata, max_age=response.max_age)


async def fetch_discovery_document(
    issuer: str, client: JSONClient, *, locations: Locations = ISSUER_SAYS
) -> JSONResponse:
    """Return the unverified discovery document from the URL in the settings, or from OpenID's or RFC 8414's.

    Raises:
        NoDocument: No URL has a document.
        IssuerUnavailable: A request failed in another way.
    """
    if locations.metadata_url is not None:
        return await client.get(locations.metadata_url, purpose="discovery")
    if not is_secure(issuer) and not locations.accepts_http:
        raise IssuerUnavailable(f"discovery of {issuer}: it is not an https URL; set metadata_url")
    failures: list[IssuerUnavailable] = []
    for url in _well_known_urls(issuer):
        try:
            return await client.get(url, purpose="discovery")
        except UnexpectedStatus as exc:
            if not exc.is_absence:
                raise
            failures.append(exc)
        except NotJSON as exc:
            failures.append(exc)
    raise NoDocument("; ".join(exc.detail for exc in failures), retry_after=failures[-1].retry_after)


def _well_known_urls(issuer: str) -> list[str]:
    """Return the URLs of an issuer's metadata, the most frequent one first.

    RFC 8414 section 3.1 puts its suffix between host and path, and OpenID Connect Discovery 1.0 section 4.1 its own
    after the path. Some servers do with one suffix what is right for the other.
    """
    parts = urllib.parse.urlsplit(issuer)
    path = parts.path.rstrip("/")
    paths = (f"{path}{_OPENID}", f"{_OAUTH}{path}", f"{_OPENID}{path}", f"{path}{_OAUTH}")
    return [urllib.parse.urlunsplit(parts._replace(path=place)) for place in dict.fromkeys(paths)]
