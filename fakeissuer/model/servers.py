"""Authorization servers with their access policies."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from msgspec import Meta, field
from msgspec.structs import force_setattr

from fakeissuer.jose.public_keys import KeySet, check_public_keys
from fakeissuer.model.checks import check_custom_claims, check_known_names
from fakeissuer.model.endpoints import ORG
from fakeissuer.model.grant_types import GRANT_TYPES
from fakeissuer.model.records import UNSET, Name, Record

RESERVED_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access", "device_sso")
ORG_SCOPES = (*RESERVED_SCOPES[:6], "groups")
OIDC_SCOPES = (*RESERVED_SCOPES, "groups")
_Lifetime = Annotated[int, Meta(ge=1, le=315_360_000)]
"""Seconds, up to ten years."""

IssuerMode = Literal["ORG_URL", "CUSTOM_URL", "DYNAMIC"]


class ClaimPlacement(Record, frozen=True, kw_only=True):
    """The placement of one claim, by its name in ``claim_placement`` of a server.

    An ID token that is requested with an access token or a code has the claim only if ``id_token`` is ``always``.
    The claim is left out unless one of ``scopes`` was granted; without ``scopes`` it needs none.
    """

    access_token: bool = True
    id_token: Literal["always", "on_request"] = "on_request"  # noqa: S105  # a placement
    userinfo: bool = True
    scopes: tuple[Name, ...] = ()


DEFAULT_PLACEMENT = ClaimPlacement()
GROUPS_PLACEMENT = ClaimPlacement(scopes=("groups",))
"""The placement of ``groups`` unless the server has another one."""


class PolicyRule(Record, frozen=True, kw_only=True):
    """A rule of an access policy: the grants, clients, groups and scopes that it allows; None means any.

    Lifetimes are in seconds, in Okta's ranges; a refresh token's applies while it is not used.
    """

    grant_types: tuple[Name, ...] | None = None
    clients: tuple[Name, ...] | None = None
    groups: tuple[Name, ...] | None = None
    scopes: tuple[Name, ...] | None = None
    access_token_lifetime: Annotated[int, Meta(ge=300, le=86_400)] | None = None
    refresh_token_idle_lifetime: Annotated[int, Meta(ge=600, le=157_680_000)] | None = None

    def __post_init__(self) -> None:
        """Check the grant types, because a rule with a mistyped one would never match.

        Raises:
            ValueError: a grant type is unknown.
        """
        check_known_names("grant_types", self.grant_types or (), GRANT_TYPES)


class Server(Record, frozen=True, kw_only=True, dict=True):
    """An authorization server: its identifiers, its scopes, its access policy and its claims.

    The first matching rule of ``policy`` applies. ``default_scopes`` are those of a request without a scope; if left
    out, ``api:read`` is the default where the server has it. ``trusted_issuers`` are the issuers whose assertions the
    server accepts, each with its public keys; tokens of other servers of this issuer may be exchanged if they are
    among them. ``published_scopes`` are the custom scopes in the metadata. ``claims`` are added to access tokens,
    ``id_token_claims`` to ID tokens and userinfo; a string may contain ``${user.email}``, see ``claim_templates``.
    ``claim_placement`` says where a claim appears, by its name; ``groups`` may be among them.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    audience: Name
    scopes: tuple[Name, ...] = (*OIDC_SCOPES, "api:read", "api:write")
    default_scopes: tuple[Name, ...] = UNSET
    access_token_lifetime: _Lifetime = 3600
    issuer_mode: IssuerMode = "CUSTOM_URL"
    policy: tuple[PolicyRule, ...] = (PolicyRule(),)
    trusted_issuers: dict[str, KeySet] = field(default_factory=dict)
    published_scopes: tuple[Name, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict)
    claim_placement: dict[Name, ClaimPlacement] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Set the default scopes, and check claims, scopes and key sets.

        Raises:
            ValueError: a claim or scope is invalid, or a trusted issuer has no public keys.
        """
        if self.default_scopes == UNSET:
            force_setattr(self, "default_scopes", tuple(scope for scope in ("api:read",) if scope in self.scopes))
        check_custom_claims(self.claims, self.id_token_claims)
        for scope in self.scopes:
            if " " in scope:
                raise ValueError(f"scopes holds {scope!r}; expected no space, because spaces separate scopes")
        check_known_names("default_scopes", self.default_scopes, self.scopes)
        check_known_names("published_scopes", self.published_scopes, self.scopes)
        for number, rule in enumerate(self.policy):
            check_known_names(f"policy[{number}].scopes", rule.scopes or (), self.scopes)
        for name, placement in self.claim_placement.items():
            check_known_names(f"claim_placement.{name}.scopes", placement.scopes, self.scopes)
        for issuer, jwks in self.trusted_issuers.items():
            check_public_keys(f"trusted_issuers[{issuer!r}]", jwks)

    @cached_property
    def is_org(self) -> bool:
        """Whether this is the org server, whose access tokens only Okta can validate."""
        return self.id == ORG

    def places(
        self, claim: str, scopes: tuple[str, ...], where: Literal["access_token", "id_token", "userinfo"], *, thin: bool
    ) -> bool:
        """Return whether a claim is put there for these scopes; ``thin`` is an ID token beside an access token."""
        default = GROUPS_PLACEMENT if claim == "groups" else DEFAULT_PLACEMENT
        placement = self.claim_placement.get(claim, default)
        if placement.scopes and not set(placement.scopes) & set(scopes):
            return False
        if where == "id_token":
            return not thin or placement.id_token == "always"  # noqa: S105  # a placement
        return placement.access_token if where == "access_token" else placement.userinfo
