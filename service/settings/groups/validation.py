"""The settings of the validation of tokens: the issuers, and the defaults for each of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, ConfigDict, Field, SecretStr

from service.settings.files import CAFile
from service.settings.issuers import (
    Algorithms,
    AuthenticationMethod,
    IssuerTables,
    PerMinute,
    Profile,
    Seconds,
)
from service.settings.profiles.settings import ServerProfileSettings
from service.settings.profiles.texts import AcceptedTexts
from service.settings.types import ProxyURL
from service.tokens.presented import MAX_TOKEN_SIZE


class ValidationSettings(ServerProfileSettings):
    """The part of the settings that decides which tokens are accepted."""

    model_config = ConfigDict(defer_build=True)

    issuer: str | None = Field(default=None, validation_alias=AliasChoices("OKTA_OAUTH2_ISSUER", "OKTA_ISSUER"))
    """The issuer identifier, exactly as it stands in the ``iss`` claim of its tokens."""
    org_url: str | None = Field(default=None, validation_alias=AliasChoices("OKTA_ORG_URL", "ORG_URL", "OKTA_DOMAIN"))
    """The URL of an Okta org, from which the issuer is derived if ``issuer`` is not set."""
    authorization_server_id: str = Field(
        default="default", validation_alias=AliasChoices("OKTA_AUTHORIZATION_SERVER_ID")
    )
    """The authorization server of the Okta org, used with ``org_url``; ``org`` is the org server."""
    audience: AcceptedTexts = Field(
        default=(), validation_alias=AliasChoices("OKTA_OAUTH2_AUDIENCE", "OKTA_API_AUDIENCE")
    )
    """The accepted values of the ``aud`` claim; ``api://default`` by default for an Okta custom server."""
    validation: str = "auto"
    """How tokens are validated: ``auto``, ``jwt``, ``introspection``, ``hybrid``, or a validator of your own."""
    algorithms: Algorithms = ("RS256",)
    """The accepted signature algorithms."""
    allowed_client_ids: AcceptedTexts = ()
    """The clients whose tokens are accepted; all clients if not set."""
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
    introspection_rate_limit: PerMinute = 300
    """The introspection requests a minute that one client address may cause with inactive tokens; 0 for no limit."""
    introspection_jwt: bool = False
    """Whether introspection responses must be signed (RFC 9701)."""
    introspection_zero_exp_is_never: bool = False
    """Whether ``exp`` of 0 in an introspection response stands for a token without an end; it is expired otherwise."""
    insecure_accept_when_introspection_fails: bool = Field(
        default=False,
        validation_alias=AliasChoices(
            "SERVICE_INSECURE_ACCEPT_WHEN_INTROSPECTION_FAILS", "SERVICE_INSECURE_SIGNATURE_SUFFICES"
        ),
    )
    """Whether ``hybrid`` accepts a token with a valid signature while introspection fails."""
    insecure_accept_introspection_without_audience: bool = False
    """Whether introspection accepts opaque tokens without ``aud``, for any API, and JWTs with it in the response."""
    insecure_accept_id_token_hashes: bool = False
    """Whether ``at_hash``, ``c_hash`` and ``s_hash`` are accepted, as for Dex; ID tokens may be accepted too then."""
    http_proxy: ProxyURL | None = None  # may contain a password
    """The proxy for requests to issuers: ``[scheme://][user:password@]host[:port]``, scheme ``http`` by default."""
    ca_file: CAFile | None = None
    """A file of CA certificates in PEM, used in place of ``SSL_CERT_FILE`` and of the system's."""
    issuers: IssuerTables = ()
    """Further issuers, as ``[[issuers]]`` tables of the TOML file or as JSON in the environment."""
