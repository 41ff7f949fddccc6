"""The settings of the program, which are frozen and validated at start.

Every setting ``x`` is also read from ``SERVICE_X``; the names from Okta's guides and SDKs take precedence.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from service.settings.issuers import (
    Algorithms,
    AuthenticationMethod,
    IssuerIdentifier,
    IssuerSettings,
    Profile,
    Seconds,
    Texts,
    TrustedIssuer,
    audience_at_okta,
    find_problems,
    issuer_of_org,
    read_secret_file,
    trusted_issuer,
)
from service.settings.types import Origins, Port, PublicURL
from service.tokens.presented import MAX_TOKEN_SIZE


class Settings(BaseSettings):
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

    issuer: IssuerIdentifier | None = Field(
        default=None, validation_alias=AliasChoices("OKTA_OAUTH2_ISSUER", "OKTA_ISSUER")
    )
    """The issuer identifier, exactly as it stands in the ``iss`` claim of its tokens."""
    org_url: str | None = Field(default=None, validation_alias=AliasChoices("OKTA_ORG_URL", "ORG_URL", "OKTA_DOMAIN"))
    """The URL of an Okta org, from which the issuer is derived if ``issuer`` is not set."""
    authorization_server_id: str = Field(
        default="default", validation_alias=AliasChoices("OKTA_AUTHORIZATION_SERVER_ID")
    )
    """The authorization server of the Okta org, used with ``org_url``; ``org`` is the org server."""
    audience: Texts = Field(default=(), validation_alias=AliasChoices("OKTA_OAUTH2_AUDIENCE", "OKTA_API_AUDIENCE"))
    """The accepted values of the ``aud`` claim; ``api://default`` by default for an Okta custom server."""
    validation: str = "auto"
    """How tokens are validated: ``auto``, ``jwt``, ``introspection``, ``hybrid``, or a validator of your own."""
    algorithms: Algorithms = ("RS256",)
    """The accepted signature algorithms."""
    allowed_client_ids: Texts = ()
    """The clients whose tokens are accepted; all clients if empty."""
    leeway: Seconds = 120.0
    """The tolerated clock difference between the issuer and the service."""
    max_token_age: Seconds | None = None
    """The longest accepted time since the ``iat`` claim; unlimited if not set."""
    max_token_size: Annotated[int, Field(ge=256, le=MAX_TOKEN_SIZE)] = MAX_TOKEN_SIZE
    """The longest accepted token, in characters."""
    token_profile: Profile = Field(
        default="lenient", validation_alias=AliasChoices("SERVICE_TOKEN_PROFILE", "SERVICE_RFC9068")
    )
    """Whether tokens must have the type and all the claims of RFC 9068; ``lenient`` accepts tokens without them."""
    stale_if_error: Seconds = Field(
        default=24 * 3600.0, validation_alias=AliasChoices("SERVICE_STALE_IF_ERROR", "SERVICE_GRACE")
    )
    """How long the last good key set is used while the issuer is unavailable."""
    client_id: str | None = Field(
        default=None, validation_alias=AliasChoices("OKTA_OAUTH2_CLIENT_ID", "OKTA_CLIENT_ID")
    )
    """The client ID with which the service authenticates to the introspection endpoint."""
    client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("OKTA_OAUTH2_CLIENT_SECRET", "OKTA_CLIENT_SECRET")
    )
    """The secret of that client."""
    client_secret_file: str | None = Field(
        default=None, validation_alias=AliasChoices("OKTA_OAUTH2_CLIENT_SECRET_FILE", "OKTA_CLIENT_SECRET_FILE")
    )
    """A file that holds ``client_secret``."""
    private_key_file: str | None = Field(default=None, validation_alias=AliasChoices("OKTA_OAUTH2_PRIVATE_KEY_FILE"))
    """A file with the private key of that client, PEM or JWK, for ``private_key_jwt``."""
    introspection_auth_method: AuthenticationMethod | None = Field(
        default=None,
        validation_alias=AliasChoices("SERVICE_INTROSPECTION_AUTH_METHOD", "SERVICE_CLIENT_AUTHENTICATION"),
    )
    """How the service authenticates to introspect; by default, the first method that the issuer supports."""
    introspection_cache_lifetime: Seconds = Field(
        default=60.0,
        validation_alias=AliasChoices("SERVICE_INTROSPECTION_CACHE_LIFETIME", "SERVICE_INTROSPECTION_LIFETIME"),
    )
    """How long an introspection response is cached; a revoked token is accepted for that long."""
    introspection_jwt: bool = False
    """Whether introspection responses must be signed (RFC 9701)."""
    insecure_accept_when_introspection_fails: bool = Field(
        default=False,
        validation_alias=AliasChoices(
            "SERVICE_INSECURE_ACCEPT_WHEN_INTROSPECTION_FAILS", "SERVICE_INSECURE_SIGNATURE_SUFFICES"
        ),
    )
    """Whether ``hybrid`` accepts a token with a valid signature while introspection fails."""
    cache_url: SecretStr = SecretStr("memory://")  # may contain a password
    """The cache: ``memory://`` for one process, or ``redis://``, ``rediss://`` or ``memcached://`` to share it."""
    issuers: tuple[IssuerSettings, ...] = ()
    """Further issuers, as ``[[issuers]]`` tables of the TOML file or as JSON in the environment."""
    realm: str = Field(default="api", pattern=r"^[\x20-\x21\x23-\x5b\x5d-\x7e]*$")
    """The ``realm`` of challenges, and the title of the OpenAPI document."""
    scope_matching: Literal["exact", "wildcard", "hierarchy"] = "exact"
    """How granted scopes are compared with required ones: ``things:*`` or ``things`` can include ``things:read``."""
    cors_origins: Origins = ()
    """The origins whose pages may call the API; ``https://*.example.com`` stands for all subdomains."""
    public_url: PublicURL | None = None
    """The URL by which clients know the API; if set, challenges name the metadata of RFC 9728."""
    http_proxy: SecretStr | None = None  # may contain a password
    """The proxy for requests to issuers."""
    ca_file: str | None = None
    """A file of CA certificates in PEM, used in place of the system's."""
    address: str = "127.0.0.1"
    """The address to listen on."""
    port: Port = 8080
    """The port to listen on; 0 for any free port."""
    processes: Annotated[int, Field(ge=0, le=256)] = 1
    """The number of worker processes; 0 for one per core."""
    admin_port: Port | None = None
    """The port for the deny list and the metrics; none if not set, 0 for any free port."""
    admin_token: SecretStr | None = None
    """The bearer token that requests to the deny list must send; if not set, they are all rejected."""
    admin_token_file: str | None = None
    """A file that holds ``admin_token``."""
    forward_auth: bool = False
    """Whether ``/auth`` validates tokens for a proxy."""
    docs: bool | None = None
    """Whether ``/docs`` and ``/openapi.json`` are served; if not set, by ``make_app`` but not by ``protect``."""
    docs_client_id: str | None = None
    """The client ID with which ``/docs`` signs users in."""
    certfile: str | None = None
    """The TLS certificate in PEM; requires ``keyfile``."""
    keyfile: str | None = None
    """The private key of the TLS certificate; requires ``certfile``."""
    routes: Texts = ()
    """The routes to serve, each as ``module:attribute``; the endpoints of Okta's guide if empty."""
    log_format: Literal["text", "json"] = "text"
    """The format of log lines."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The lowest level that is logged."""

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
        settings = read_secret_file(read_secret_file(by_field(values), "client_secret"), "admin_token")
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
        if self.processes != 1 and self.admin_port is not None and self._is_cache_local:
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
    def admin_secret(self) -> str | None:
        """The token for the deny list on the admin port; None if the deny list is disabled."""
        return self.admin_token.get_secret_value() if self.admin_token else None

    @property
    def _is_cache_local(self) -> bool:
        return urllib.parse.urlsplit(self.cache_url.get_secret_value()).scheme == "memory"

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
