"""The settings of the program, which are frozen and validated at start.

Every setting ``x`` is also read from ``SERVICE_X``; the names from Okta's guides and SDKs take precedence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import AliasChoices, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.settings.api import APISettings
from service.settings.cache import CacheSettings
from service.settings.issuers import (
    IssuerSettings,
    TrustedIssuer,
    audience_at_okta,
    find_problems,
    issuer_of_org,
    read_secret_file,
    trusted_issuer,
)
from service.settings.limits import LimitSettings
from service.settings.server import ServerSettings
from service.settings.validation import ValidationSettings


class Settings(LimitSettings, ServerSettings, CacheSettings, APISettings, ValidationSettings, BaseSettings):
    """All settings; keyword arguments take precedence over the environment, and no file is read.

    Raises:
        pydantic.ValidationError: A value is invalid; ``load_settings`` raises a ``SettingsError`` instead.
    """

    model_config = SettingsConfigDict(
        env_prefix="SERVICE_",
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        use_attribute_docstrings=True,
        extra="ignore",  # .okta.env is shared with other programs; sources.py rejects unknown keys in the TOML file
        hide_input_in_errors=True,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic-settings passes all of them
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Disable pydantic's file sources; :mod:`service.settings.sources` reads the files."""
        return init_settings, env_settings

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Derive the issuer from the Okta org, and the audience of an Okta custom server."""
        settings = by_field(values)
        for name in ("client_secret", "admin_token", "cache_secret"):
            settings = read_secret_file(settings, name)
        if not settings.get("issuer") and settings.get("org_url"):
            settings["issuer"] = issuer_of_org(settings["org_url"], settings.get("authorization_server_id", "default"))
        if not settings.get("audience"):
            settings["audience"] = audience_at_okta(settings.get("issuer"))
        return settings

    @model_validator(mode="after")
    def _check_complete(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        trusted = self.trusted_issuers
        if not trusted:
            yield (
                "issuer: is not set; set OKTA_OAUTH2_ISSUER to https://{your Okta domain}/oauth2/default, "
                "or try the service without an Okta account: python -m service --demo"
            )
        for issuer in trusted:
            yield from find_problems(issuer)
        if len({issuer.issuer for issuer in trusted}) < len(trusted):
            yield "issuers: an issuer is configured twice, so its settings are ambiguous; remove one of the two"
        if self.processes != 1 and self.admin_port is not None and self.is_cache_local:
            yield (
                f"processes: was {self.processes}, but changes of the deny list would reach only one process; "
                "set cache_url to a shared cache, such as redis://127.0.0.1:6379/0, or leave admin_port out"
            )
        if (self.certfile is None) != (self.keyfile is None):
            yield "certfile: TLS needs a certificate and its key; set certfile and keyfile, or neither"

    @property
    def proxy_url(self) -> str | None:
        """The URL of the proxy for requests to issuers, with its password."""
        return self.http_proxy.get_secret_value() if self.http_proxy else None

    @property
    def trusted_issuers(self) -> tuple[TrustedIssuer, ...]:
        """The authorization servers whose tokens are accepted; a setting of an issuer overrides that of the program."""
        tables = list(self.issuers)
        if self.issuer is not None:
            tables.insert(0, IssuerSettings(issuer=self.issuer, audience=self.audience, **self._client()))
        return tuple(trusted_issuer(table, self) for table in tables)

    def _client(self) -> dict[str, Any]:
        """Return the client credentials for ``issuer``."""
        names = ("client_id", "client_secret", "private_key_file", "introspection_auth_method")
        return {name: getattr(self, name) for name in names}


SECRETS = frozenset(name for name, info in Settings.model_fields.items() if "SecretStr" in str(info.annotation))
"""The settings whose values are never shown."""


def by_field(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with their aliases replaced by the names of the settings."""
    by_name = dict(values)
    for name, info in Settings.model_fields.items():
        if isinstance(info.validation_alias, AliasChoices):
            for alias in info.validation_alias.choices:
                if alias in by_name:
                    by_name.setdefault(name, by_name[alias])
                    del by_name[alias]
    return by_name
