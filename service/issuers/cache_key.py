"""Derives the key that authenticates the values of the shared cache from a secret in the settings."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

from service.errors import SettingsError
from service.issuers.client_auth import read_private_key
from service.settings.issuers import ClientCredentials
from service.settings.program import Settings

_SALT = b"tornado-resource-server: values of the shared cache"
_COST = {"n": 2**14, "r": 8, "p": 1}
"""scrypt takes about 50 milliseconds (RFC 7914), since a reader of the cache can test a guess of a short secret."""

_PROBLEM = (
    "cache_secret: is not set, so any program with access to the shared cache could change the deny list; set "
    "SERVICE_CACHE_SECRET to the same random text on every machine, such as the output of: openssl rand -hex 32"
)


def derive_cache_key(settings: Settings) -> bytes:
    """Return the key for the shared cache, the same in every process with the same secret; random for a local cache.

    Raises:
        SettingsError: There is no secret, or the private key cannot be read.
    """
    if settings.is_cache_local:
        return secrets.token_bytes(32)
    secret = next(_find_secrets(settings), None)
    if secret is None:
        raise SettingsError([_PROBLEM])
    return hashlib.scrypt(secret, salt=_SALT, dklen=32, **_COST)


def _find_secrets(settings: Settings) -> Iterator[bytes]:
    """Yield the secrets from which the key can be derived, the preferred one first."""
    if settings.cache_secret is not None:
        yield settings.cache_secret.get_secret_value().encode()
    for issuer in sorted(settings.trusted_issuers, key=lambda issuer: issuer.issuer):
        if issuer.client is not None and (secret := _secret_of(issuer.client)):
            yield secret
    if settings.admin_token is not None:
        yield settings.admin_token.get_secret_value().encode()


def _secret_of(credentials: ClientCredentials) -> bytes | None:
    if credentials.private_key_file is not None:
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415  # few services have such a key
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        key = read_private_key(Path(credentials.private_key_file)).key
        # DER, since two machines may have the key in different text formats.
        encoded: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        return encoded
    return credentials.secret.get_secret_value().encode() if credentials.secret else None
