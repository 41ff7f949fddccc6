"""Where the documents and endpoints of an issuer are, if they are not where its identifier says."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from service.settings.profiles.mistakes import TENANT_PLACEHOLDER
from service.tokens.issuer_identifier import find_tenant
from service.urls import is_secure

_NEVER_IN_A_URL = frozenset("{}<>\"'\\")

URLS = ("metadata_url", "jwks_uri", "introspection_endpoint")
LOCATIONS = (*URLS, "keys_file")
"""The settings that are a place; with one of them, the issuer may be a name that is not a URL."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Locations:
    """Where things are, apart from who issues the tokens; None for what the metadata of the issuer says.

    Args:
        metadata_url: The URL of the metadata; None for the well-known ones below the issuer.
        jwks_uri: The URL of the key set.
        introspection_endpoint: The URL of the introspection endpoint.
        keys_file: The path of a file with the key set, used in place of a URL.
        accepts_http: Whether the metadata may be fetched without TLS.
    """

    metadata_url: str | None = None
    jwks_uri: str | None = None
    introspection_endpoint: str | None = None
    keys_file: str | None = None
    accepts_http: bool = False

    @property
    def has_keys(self) -> bool:
        """Whether the key set is found without metadata."""
        return self.jwks_uri is not None or self.keys_file is not None

    @property
    def urls(self) -> Mapping[str, str]:
        """The URLs by their settings."""
        urls = {name: getattr(self, name) for name in URLS}
        return {name: url for name, url in urls.items() if url is not None}


class LocationSettings(BaseModel):
    """The settings that say where things are; they change nothing about the ``iss`` claim."""

    model_config = ConfigDict(defer_build=True)

    insecure_accept_http_issuer: bool = False
    """Whether the issuer may be reached by ``http://``; on the way, its keys can be replaced and tokens be read."""
    metadata_url: str | None = None
    """The URL of the metadata, if it is not below the issuer, as where an API reaches the issuer by another name."""
    jwks_uri: str | None = None
    """The URL of the key set; by default, the one in the metadata, which is not fetched for the keys then."""
    introspection_endpoint: str | None = None
    """The URL of the introspection endpoint; by default, the one in the metadata."""
    keys_file: str | None = None
    """A file with the key set, a JWK Set in JSON, in place of ``jwks_uri``; it is read again when it changes."""

    @field_validator(*URLS, mode="after")
    @classmethod
    def _check_url(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is not None:
            check_url(
                url.replace(TENANT_PLACEHOLDER, ""), accepts_http=bool(info.data.get("insecure_accept_http_issuer"))
            )
        return url

    def locations(self, issuer: str) -> Locations:
        """Return the places for an issuer, with its tenant in place of the placeholder."""
        tenant = find_tenant(issuer) or TENANT_PLACEHOLDER

        def fill(url: str | None) -> str | None:
            return None if url is None else url.replace(TENANT_PLACEHOLDER, tenant)

        return Locations(
            metadata_url=fill(self.metadata_url),
            jwks_uri=fill(self.jwks_uri),
            introspection_endpoint=fill(self.introspection_endpoint),
            keys_file=self.keys_file,
            accepts_http=self.insecure_accept_http_issuer,
        )


def check_url(url: str, *, accepts_http: bool) -> None:
    """Check that a URL of an issuer can be fetched, and that its response can be trusted.

    Args:
        accepts_http: Whether a URL without TLS is accepted.

    Raises:
        ValueError: It is not a URL, has parts that are never sent, or is not https.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        is_url = bool(parts.hostname) and parts.port != 0
    except ValueError:  # its message may quote a password
        is_url = False
    if not is_url or not url.isascii() or not url.isprintable() or " " in url or _NEVER_IN_A_URL & set(url):
        raise ValueError("expected https://host[:port]/path, without spaces, quotes and placeholders")
    if "@" in parts.netloc or parts.fragment:  # a user name would be shown in the log, with its password
        raise ValueError("expected a URL without a user name and a fragment")
    if parts.scheme not in {"http", "https"}:
        raise ValueError("expected https://")
    if not is_secure(url) and not accepts_http:
        raise ValueError(
            "expected https://, since http:// can be forged on the way; inside a container network, "
            "insecure_accept_http_issuer accepts it"
        )
