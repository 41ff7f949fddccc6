"""The settings of an issuer that depend on the kind of authorization server; a profile gives the defaults."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, ValidationInfo, field_validator

from service.settings.profiles.locations import LOCATIONS, LocationSettings
from service.settings.profiles.mistakes import find_mistakes
from service.settings.profiles.table import PROFILES
from service.settings.profiles.texts import AcceptedTexts
from service.text import did_you_mean
from service.tokens.claim_names import check_claim_name

_TENANT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def _check_profile(name: str) -> str:
    if name not in PROFILES:
        raise ValueError(f"expected one of {', '.join(PROFILES)}{did_you_mean(name, PROFILES)}")
    return name


def _check_tenants(tenants: tuple[str, ...]) -> tuple[str, ...]:
    for tenant in tenants:
        if not _TENANT.fullmatch(tenant):
            raise ValueError(f"{tenant!r} is not the ID of a tenant; write its GUID in lower case, as in tokens")
    return tenants


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(check_claim_name, names))


ProfileName = Annotated[str, AfterValidator(_check_profile)]
Tenants = Annotated[AcceptedTexts, AfterValidator(_check_tenants)]
ClaimName = Annotated[str, AfterValidator(check_claim_name)]
AcceptedClaimNames = Annotated[AcceptedTexts, AfterValidator(_check_names)]


class ServerProfileSettings(LocationSettings):
    """The settings that say what is particular to an authorization server."""

    model_config = ConfigDict(defer_build=True)

    profile: ProfileName | None = None
    """The kind of authorization server, such as ``keycloak``; recognised from the issuer by default, if it can be."""
    tenants: Tenants = ()
    """The IDs of the Entra tenants whose tokens are accepted, each in place of ``{tenantid}`` in the issuer."""
    access_token_issuer: str | None = None
    """The ``iss`` claim of access tokens, if it is not the issuer, as at ADFS; compared character by character."""
    accept_tokens_without_audience: bool | None = None
    """Whether tokens without ``aud`` are accepted, by their client alone; requires ``allowed_client_ids``."""
    client_id_claims: AcceptedClaimNames | None = None
    """The claims that name the client, which must agree; ``client_id``, ``cid``, ``azp``, ``appid`` by default."""
    scope_claims: AcceptedClaimNames | None = None
    """The claims that hold the scopes, of which the first that is present counts; ``scope``, ``scp`` by default."""
    groups_claim: ClaimName | None = None
    """The claim or path that holds the groups; ``groups`` by default."""
    roles_claim: ClaimName | None = None
    """The claim or path that holds the roles, such as ``realm_access.roles``; ``roles`` by default."""

    @field_validator("issuer", mode="after", check_fields=False)
    @classmethod
    def _check_issuer(cls, issuer: str | None, info: ValidationInfo) -> str | None:
        values: dict[str, Any] = info.data  # the fields above, so far as they are valid
        if issuer is not None and (
            mistakes := find_mistakes(
                issuer,
                profile=values.get("profile"),
                has_tenants=bool(values.get("tenants")),
                accepts_http=values.get("insecure_accept_http_issuer", False),
                is_located=any(values.get(name) for name in LOCATIONS),
            )
        ):
            raise ValueError("; ".join(mistakes))
        return issuer
