"""What the service is told: frozen, read once, and refused at start where it cannot be served.

Every setting ``x`` is also read from ``SERVICE_X``; the names that Okta's guides and SDKs use come first.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from service.tokens import issuer_identifier
from service.tokens.algorithms import ALGORITHMS

__all__ = ["SECRETS", "Settings", "TrustedIssuer", "by_field"]

OKTA_AUDIENCE = "api://default"
"""The audience that Okta gives its custom authorization servers."""


def _names(*names: str) -> AliasChoices:
    """The names under which a setting is known to Okta's users, the first found wins."""
    return AliasChoices(*names)


def _split(value: object) -> object:
    """A list in the environment is separated by commas, and spaces around them are nothing."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=0, le=65535)]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedIssuer:
    """An authorization server whose tokens are accepted, and on what terms.

    Args:
        validation: The kind of validator that judges its tokens.
        leeway: Seconds by which its clock and ours may disagree.
    """

    issuer: str
    audiences: frozenset[str]
    validation: str
    algorithms: frozenset[str]
    allowed_client_ids: frozenset[str] | None
    leeway: float


class Settings(BaseSettings):
    """Everything that can be set. Keyword arguments win over the environment; nothing else is read here.

    Raises:
        pydantic.ValidationError: A value cannot be served; :mod:`service.sources` turns it into sentences.
    """

    model_config = SettingsConfigDict(
        env_prefix="SERVICE_",
        env_ignore_empty=True,
        populate_by_name=True,
        frozen=True,
        extra="ignore",  # .okta.env is shared with other programs; unknown keys of our own file are refused on reading
        hide_input_in_errors=True,
    )

    issuer: str | None = Field(default=None, validation_alias=_names("OKTA_OAUTH2_ISSUER", "OKTA_ISSUER"))
    org_url: str | None = Field(default=None, validation_alias=_names("OKTA_ORG_URL", "ORG_URL", "OKTA_DOMAIN"))
    authorization_server_id: str = Field(default="default", validation_alias=_names("OKTA_AUTHORIZATION_SERVER_ID"))
    audience: Texts = Field(default=(), validation_alias=_names("OKTA_OAUTH2_AUDIENCE", "OKTA_API_AUDIENCE"))
    validation: str = "auto"
    algorithms: Texts = ("RS256",)
    allowed_client_ids: Texts = ()
    leeway: Seconds = 120.0
    realm: str = Field(default="api", pattern=r"^[\x20-\x21\x23-\x5b\x5d-\x7e]*$")
    cors_origins: Texts = ()
    http_proxy: SecretStr | None = None  # it may carry a password
    ca_file: str | None = None
    address: str = "127.0.0.1"
    port: Port = 8080
    certfile: str | None = None
    keyfile: str | None = None
    routes: Texts = ()
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # pydantic-settings passes all of them
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Leave out the sources nobody asked for; :mod:`service.sources` adds the files that the user names."""
        return init_settings, env_settings

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Fill in what Okta's users leave out: the issuer from the org, and the audience of a custom server."""
        found = by_field(values)
        if not found.get("issuer") and found.get("org_url"):
            found["issuer"] = _issuer_of_org(found["org_url"], found.get("authorization_server_id", "default"))
        issuer = found.get("issuer")
        if not found.get("audience") and isinstance(issuer, str) and _has_okta_audience(issuer):
            found["audience"] = (OKTA_AUDIENCE,)
        return found

    @field_validator("issuer")
    @classmethod
    def _issuer_is_spelt_right(cls, issuer: str | None) -> str | None:
        if issuer is not None and (mistakes := issuer_identifier.mistakes_in(issuer)):
            raise ValueError("; ".join(mistakes))
        return issuer

    @field_validator("algorithms")
    @classmethod
    def _algorithms_are_known(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in algorithms if name not in ALGORITHMS]
        if unknown or not algorithms:
            raise ValueError(f"expected some of {', '.join(ALGORITHMS)}; a symmetric one or none is never accepted")
        return algorithms

    @field_validator("cors_origins")
    @classmethod
    def _origins_are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urllib.parse.urlsplit(origin)
            if origin != "*" and origin != f"{parts.scheme}://{parts.netloc}".lower():
                raise ValueError(f"{origin!r} is not an origin; write scheme://host[:port], without path or slash")
        return origins

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.issuer is None:
            raise ValueError(
                "issuer: is not set; set OKTA_OAUTH2_ISSUER to https://{your Okta domain}/oauth2/default, "
                "or try the service without an Okta account: python -m service --demo"
            )
        if issuer_identifier.is_okta_org_server(self.issuer):
            raise ValueError(
                f"issuer: {self.issuer} is an Okta org server, whose tokens only Okta can judge; "
                f"write a custom authorization server, such as {self.issuer}/oauth2/default"
            )
        if not self.audience:
            raise ValueError(
                f"audience: is not set, so tokens meant for any API of {self.issuer} would be accepted; "
                "set OKTA_OAUTH2_AUDIENCE to the audience that your authorization server puts into its tokens"
            )
        if (self.certfile is None) != (self.keyfile is None):
            raise ValueError("certfile: TLS needs a certificate and its key; set certfile and keyfile, or neither")
        return self

    @property
    def proxy_url(self) -> str | None:
        """The proxy to reach issuers through, with its password."""
        return self.http_proxy.get_secret_value() if self.http_proxy else None

    @property
    def issuers(self) -> tuple[TrustedIssuer, ...]:
        """The authorization servers whose tokens are accepted."""
        return (
            TrustedIssuer(
                issuer=self.issuer or "",
                audiences=frozenset(self.audience),
                validation=self.validation,
                algorithms=frozenset(self.algorithms),
                allowed_client_ids=frozenset(self.allowed_client_ids) or None,
                leeway=self.leeway,
            ),
        )


SECRETS = frozenset(name for name, info in Settings.model_fields.items() if "SecretStr" in str(info.annotation))
"""The settings whose values are never shown."""


def by_field(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values under the names of the settings, whichever of its names each was found under."""
    found = dict(values)
    for name, info in Settings.model_fields.items():
        if isinstance(info.validation_alias, AliasChoices):
            for alias in info.validation_alias.choices:
                if alias in found:
                    found.setdefault(name, found[alias])
                    del found[alias]
    return found


def _issuer_of_org(org_url: str, server_id: str) -> str:
    """Return the issuer of one authorization server of an Okta org; the server ``org`` is the org itself."""
    base = org_url if "://" in org_url else f"https://{org_url}"
    base = base.rstrip("/")
    return base if server_id == "org" else f"{base}/oauth2/{server_id}"


def _has_okta_audience(issuer: str) -> bool:
    try:
        return issuer_identifier.is_okta_custom_server(issuer)
    except ValueError:  # not a URL; the issuer's own check says so in better words
        return False
