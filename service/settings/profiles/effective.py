"""The effective profile of an issuer: that of its kind of server, with what the settings say otherwise."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, replace

from service.settings.profiles.mistakes import TENANT_PLACEHOLDER
from service.settings.profiles.settings import ServerProfileSettings
from service.settings.profiles.table import PROFILES, ServerProfile, recognise
from service.tokens.claim_names import ClaimNames
from service.tokens.issuer_identifier import has_okta_custom_path

OKTA_AUDIENCE = "api://default"
"""The audience that Okta gives its custom authorization servers."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EffectiveProfile:
    """What is particular to one issuer.

    Args:
        issuer: The issuer, without a placeholder.
        server: The profile of its kind of server.
        is_recognised: Whether the profile was recognised from the issuer, and not set.
        names: The claims of client, scopes, groups and roles.
        token_issuer: The ``iss`` claim of its access tokens.
        accepts_without_audience: Whether tokens without ``aud`` are accepted.
        is_okta_org_server: Whether only introspection can validate its access tokens.
    """

    issuer: str
    server: ServerProfile
    is_recognised: bool
    names: ClaimNames
    token_issuer: str
    accepts_without_audience: bool
    is_okta_org_server: bool

    def __str__(self) -> str:
        origin = ", recognised from the issuer" if self.is_recognised else ""
        names = self.names
        has_own_issuer = self.token_issuer != self.issuer
        tokens = f", access tokens of the issuer {self.token_issuer}" if has_own_issuer else ""
        return (
            f"{self.server.name}{origin}: client in {' or '.join(names.client_id)}, "
            f"scopes in {' or '.join(names.scopes)}, groups in {names.groups}, roles in {names.roles}{tokens}"
        )


def effective_profile(settings: ServerProfileSettings, issuer: str, *, has_audience: bool) -> EffectiveProfile:
    """Return the effective profile of an issuer.

    Args:
        settings: The settings of the issuer.
        issuer: The issuer, without a placeholder.
        has_audience: Whether an audience is set.
    """
    recognised = recognise(issuer) if settings.profile is None else None
    server = recognised or PROFILES[settings.profile or "generic"]
    names = server.names
    lacks_audience = server.lacks_audience and recognised is None and not has_audience
    accepts = settings.accept_tokens_without_audience
    return EffectiveProfile(
        issuer=issuer,
        server=server,
        is_recognised=recognised is not None,
        names=replace(
            names,
            client_id=settings.client_id_claims or names.client_id,
            scopes=settings.scope_claims or names.scopes,
            groups=settings.groups_claim or names.groups,
            roles=settings.roles_claim or names.roles,
        ),
        token_issuer=settings.access_token_issuer or _token_issuer(server, issuer),
        accepts_without_audience=lacks_audience if accepts is None else accepts,
        is_okta_org_server=server.name == "okta" and urllib.parse.urlsplit(issuer).path == "",
    )


def default_audience(issuer: str, profile: str | None) -> tuple[str, ...]:
    """Return the audience of an Okta custom server, or an empty tuple for any other issuer.

    Args:
        profile: The name of the profile that is set.
    """
    server = recognise(issuer) if profile is None else PROFILES.get(profile)
    is_okta_custom = server is PROFILES["okta"] and has_okta_custom_path(issuer)
    return (OKTA_AUDIENCE,) if is_okta_custom else ()


def issuers_of(settings: ServerProfileSettings, issuer: str) -> Iterator[str]:
    """Yield the issuer, or that of each tenant."""
    yield from (
        (issuer.replace(TENANT_PLACEHOLDER, tenant) for tenant in settings.tenants) if settings.tenants else (issuer,)
    )


def _token_issuer(server: ServerProfile, issuer: str) -> str:
    """Return the ``iss`` claim of access tokens; ADFS has an identifier of its own for them, which is not a URL."""
    if server.name != "adfs":
        return issuer
    parts = urllib.parse.urlsplit(issuer)
    return urllib.parse.urlunsplit(parts._replace(scheme="http", path=f"{parts.path}/services/trust"))
