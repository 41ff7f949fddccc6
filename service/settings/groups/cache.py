"""The settings of the shared cache and of the deny list."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

_MIN_SECRET_LENGTH = 32
"""Characters; a reader of the cache can try shorter secrets until one fits."""


def _check_length(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < _MIN_SECRET_LENGTH:
        raise ValueError(
            f"expected at least {_MIN_SECRET_LENGTH} characters, such as the output of: openssl rand -hex 32"
        )
    return secret


class CacheSettings(BaseModel):
    """The part of the settings that concerns what processes share and what survives a restart."""

    model_config = ConfigDict(defer_build=True)

    cache_url: SecretStr = SecretStr("memory://")  # may contain a password
    """The cache: ``memory://`` in each process, or ``redis://``, ``redis+sentinel://``, ``redis+cluster://`` or
    ``memcached://`` to share it.

    ``rediss`` instead of ``redis`` is with TLS.
    """
    cache_secret: Annotated[SecretStr, AfterValidator(_check_length)] | None = None
    """The secret that authenticates the values of a shared cache, the same on every machine.

    By default, it is derived from the client secret or the private key of an issuer, or from ``admin_token``.
    """
    cache_secret_file: str | None = None
    """A file that holds ``cache_secret``."""
    deny_list_file: str | None = None
    """A file that keeps the deny list over a restart; created if it does not exist."""

    @property
    def is_cache_local(self) -> bool:
        """Whether the cache is in this process, so that no other process sees it."""
        return self.cache_url.get_secret_value().lower().startswith("memory:")
