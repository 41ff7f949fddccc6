"""The settings of the program, which are frozen and validated at start.

Every setting ``x`` is also read from ``SERVICE_X``; the names from Okta's guides and SDKs take precedence.
A name that is not known is an error, because a misspelt restriction would silently not apply.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Self

from pydantic import ConfigDict, model_validator

from service.settings.files import read_secret_file
from service.settings.groups.admin import AdminSettings
from service.settings.groups.api import APISettings
from service.settings.groups.binding import BindingSettings
from service.settings.groups.cache import CacheSettings
from service.settings.groups.forward_auth import ForwardAuthSettings
from service.settings.groups.limits import LimitSettings
from service.settings.groups.logs import LogSettings
from service.settings.groups.processes import ProcessSettings
from service.settings.groups.server import ServerSettings
from service.settings.groups.sockets import SocketSettings
from service.settings.groups.validation import ValidationSettings
from service.settings.issuers import (
    IssuerSettings,
    TrustedIssuer,
    issuer_of_org,
    set_values,
    trusted_issuers,
)
from service.settings.names import SettingNames
from service.settings.problems import NO_ISSUER, find_problems
from service.settings.profiles.effective import default_audience
from service.settings.profiles.settings import ServerProfileSettings
from service.settings.reading import ReadableSettings, secret_names
from service.settings.types import unix_path


class Settings(
    LimitSettings,
    ServerSettings,
    LogSettings,
    AdminSettings,
    ProcessSettings,
    SocketSettings,
    CacheSettings,
    APISettings,
    ForwardAuthSettings,
    BindingSettings,
    ValidationSettings,
    ReadableSettings,
):
    """All settings; keyword arguments take precedence over the environment, and no file is read.

    ``from_keywords``, ``from_toml`` and ``from_env_file`` read the other sources.

    Raises:
        SettingsError: A setting is missing, misspelt or invalid; one sentence for each problem.
    """

    model_config = ConfigDict(
        populate_by_name=True,
        frozen=True,
        defer_build=True,
        extra="forbid",
        validate_default=False,  # an empty list is the default, which stands for no restriction, but no valid value
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Derive the issuer from the Okta org and the audience of an Okta custom server."""
        settings = dict(values)
        for name in ("client_secret", "admin_token", "cache_secret"):
            settings = read_secret_file(settings, name)
        org_url, server_id = settings.get("org_url"), settings.get("authorization_server_id", "default")
        if not settings.get("issuer") and org_url and isinstance(org_url, str):
            settings["issuer"] = issuer_of_org(org_url, server_id)
            settings.setdefault("profile", "okta")
        issuer, profile = settings.get("issuer"), settings.get("profile")
        if settings.get("audience") is None and isinstance(issuer, str) and isinstance(profile, str | None):
            settings |= {"audience": audience} if (audience := default_audience(issuer, profile)) else {}
        return settings

    @model_validator(mode="after")
    def _check_complete(self) -> Self:
        if problems := list(self._problems()):
            raise ValueError("\n".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        trusted = self.trusted_issuers
        if not trusted and self.app is None:  # the application may be protected already, with settings of its own
            yield NO_ISSUER
        if self.app is not None and any(self.routes):
            yield "app: is set together with routes; add the routes to the application, and leave routes out"
        for issuer in trusted:
            yield from find_problems(issuer)
        if self.issuer is None:
            for name in sorted(self.model_fields_set & ServerProfileSettings.model_fields.keys()):
                yield f"{name}: it is about the server of issuer, which is not set; write it into the issuer's table"
        if len({issuer.profile.token_issuer for issuer in trusted}) < len(trusted):
            yield "issuers: an issuer is configured twice, so its settings are ambiguous; remove one of the two"
        if self.processes != 1 and self.has_admin_port and self.is_cache_local:
            yield (
                f"processes: was {self.processes}, but changes of the deny list would reach only one process; "
                "set cache_url to a shared cache, such as redis://127.0.0.1:6379/0, or leave admin_port out"
            )
        has_nonces = any(issuer.requires_dpop_nonce for issuer in trusted)
        if has_nonces and self.processes != 1 and self.is_cache_local and not self.dpop_nonce_secrets:
            yield (
                f"dpop_nonce: with processes = {self.processes}, the nonces of one would be rejected by another; "
                "set dpop_nonce_secrets, or cache_url to a shared cache, such as redis://127.0.0.1:6379/0"
            )
        yield from self.find_shared_tokens()
        yield from self._socket_problems()
        yield from self._tls_problems()
        yield from self._gate_problems()

    def _socket_problems(self) -> Iterator[str]:
        if self.systemd_socket == self.admin_systemd_socket:
            yield f"admin_systemd_socket: is {self.systemd_socket!r} like systemd_socket; each needs a name of its own"
        if self.address == self.admin_address and unix_path(self.address) is not None:
            yield f"admin_address: is {self.address!r} like address; each Unix socket needs a path of its own"

    def _tls_problems(self) -> Iterator[str]:
        if (self.certfile is None) != (self.keyfile is None):
            yield "certfile: TLS needs a certificate and its key; set certfile and keyfile, or neither"
        if self.client_ca is not None and self.certfile is None:
            yield (
                "client_ca: clients show certificates to servers with TLS only; set certfile and keyfile, or "
                "client_certificate_header if a proxy terminates TLS"
            )
        if self.client_certificate_header is not None and not self.trusted_proxies:
            yield (
                f"client_certificate_header: {self.client_certificate_header} is read from trusted proxies only, since "
                "a client could send it, too; set trusted_proxies to the addresses of the proxy"
            )

    @property
    def proxy_url(self) -> str | None:
        """The URL of the proxy for requests to issuers, with its password."""
        return self.http_proxy.get_secret_value() if self.http_proxy else None

    @property
    def trusted_issuers(self) -> tuple[TrustedIssuer, ...]:
        """The authorization servers whose tokens are accepted; a setting of an issuer overrides that of the program."""
        tables = list(self.issuers)
        if self.issuer is not None:
            tables.insert(0, self._own_table())
        return tuple(issuer for table in tables for issuer in trusted_issuers(table, self))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with other values, which are validated like those of new settings.

        Raises:
            SettingsError: A value is misspelt or invalid; one sentence for each problem.
        """
        copy = super().model_copy(deep=deep)
        return (
            self.from_keywords(**(set_values(copy) | SettingNames(type(self).model_fields).by_field(update)))
            if update
            else copy
        )

    def _own_table(self) -> IssuerSettings:
        """Return the settings of ``issuer`` itself."""
        names = ("issuer", "audience", "client_id", "client_secret", "private_key_file", "introspection_auth_method")
        own = {name: value for name in names if (value := getattr(self, name))}
        about_server = self.model_fields_set & ServerProfileSettings.model_fields.keys()
        return IssuerSettings(**own, **{name: getattr(self, name) for name in about_server})


SECRETS = secret_names(Settings.model_fields)
"""The settings whose values are never shown."""
