"""The requirements of one method, and their check against a principal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from service.binding import DPOP_MODES
from service.errors import AccessDenied, InsufficientScope, Reason
from service.tokens.claim_names import check_claim_name, explain_missing, find_claim
from service.tokens.principal import Principal
from service.web.policy.scopes import AnyOf, ScopeMatching, ScopeRequirements, parse_scopes
from service.web.policy.step_up import StepUp, parse_step_up

ATTRIBUTES: Mapping[str, object] = {
    "public": False,
    "optional": False,
    "scopes": (),
    "groups": (),
    "roles": (),
    "claims": {},
    "allowed_clients": (),
    "acr_values": (),
    "max_age": None,
    "validation": "",
    "dpop": None,
    "dpop_nonce": None,
}
"""The class attributes that state requirements, with the values that require nothing."""

Scalar = str | int | float | bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirements:
    """The requirements of one method, read once and checked on every request.

    Args:
        public: Whether every request is served and no token is read.
        optional: Whether a request without a token is served; an invalid token is still rejected.
        scopes: The scopes that the token must have.
        groups: Alternative sets of groups, of which the user must be in one; empty for no requirement.
        roles: Alternative sets of roles, of which the user or the client must have one; empty for no requirement.
        claims: The accepted values of each named claim; a claim that is a list must contain one of them.
        allowed_clients: The client IDs that may call; empty for all.
        step_up: How strongly and how recently the user must have been authenticated.
        validation: The kind of validation that the token needs; "" for the kind of its issuer in the settings.
        dpop: Whether the token may be bound by DPoP: ``off``, ``allowed`` or ``required``; None as in the settings.
        dpop_nonce: Whether a DPoP proof needs a nonce of this handler; None as in the settings.
    """

    public: bool = False
    optional: bool = False
    scopes: ScopeRequirements = field(default_factory=ScopeRequirements)
    groups: tuple[frozenset[str], ...] = ()
    roles: tuple[frozenset[str], ...] = ()
    claims: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    allowed_clients: frozenset[str] = frozenset()
    step_up: StepUp = field(default_factory=StepUp)
    validation: str = ""
    dpop: str | None = None
    dpop_nonce: bool | None = None

    def check(self, principal: Principal, *, now: float, matching: ScopeMatching = ScopeMatching.EXACT) -> None:
        """Check that a principal may call the method.

        The requirements that another token cannot meet are checked first.

        Args:
            now: Wall time in seconds since the epoch.
            matching: How scopes are compared.

        Raises:
            AccessDenied: The client, a group, a role or a claim does not meet the requirements.
            InsufficientScope: A scope is missing; the error names the sufficient ones.
            InsufficientAuthentication: The user was authenticated too weakly or too long ago.
        """
        if self.allowed_clients and principal.client_id not in self.allowed_clients:
            raise AccessDenied(Reason.CLIENT_FORBIDDEN, f"client {principal.client_id!r}"[:200], claim="client_id")
        if self.groups and not any(names <= principal.groups for names in self.groups):
            raise AccessDenied(Reason.GROUP_REQUIRED, claim="groups")
        if self.roles and not any(names <= principal.roles for names in self.roles):
            raise AccessDenied(Reason.ROLE_REQUIRED, claim="roles")
        for name, accepted in self.claims.items():
            if not _has_value(find_claim(principal.claims, name), accepted):
                detail = explain_missing(principal.claims, name) or name
                raise AccessDenied(Reason.CLAIM_MISMATCH, detail, claim=name)
        if self.scopes.alternatives and not self.scopes.is_satisfied(principal.scopes, matching):
            raise InsufficientScope(self.scopes.preferred)
        if self.step_up.is_required:
            self.step_up.check(principal, now=now)

    @property
    def requires_only_token(self) -> bool:
        """Whether every valid token meets the requirements."""
        if self.public:
            return Requirements(public=True, optional=self.optional) == self
        if not self.optional:
            return Requirements() == self
        # They say how a token is validated, which concerns a request without one as little as the validation itself.
        ways = replace(self, validation="", dpop=None, dpop_nonce=None)
        return Requirements(optional=True) == ways


def parse_requirements(  # noqa: PLR0913  # one for each attribute
    *,
    public: object,
    optional: object,
    scopes: object,
    groups: object,
    roles: object,
    claims: object,
    allowed_clients: object,
    acr_values: object,
    max_age: object,
    validation: object,
    dpop: object,
    dpop_nonce: object,
) -> Requirements:
    """Parse the attributes of one method.

    Raises:
        TypeError: An attribute has a type without a meaning.
        ValueError: An attribute has an impossible value, or two attributes contradict each other.
    """
    for name, value in (("public", public), ("optional", optional)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {value!r}")
    if not isinstance(validation, str):
        raise TypeError(f"validation must be the name of a kind of validation, not {validation!r}")
    if dpop is not None and dpop not in DPOP_MODES:
        raise ValueError(f"dpop must be {', '.join(DPOP_MODES)} or None, not {dpop!r}")
    if dpop_nonce is not None and not isinstance(dpop_nonce, bool):
        raise TypeError(f"dpop_nonce must be True, False or None, not {dpop_nonce!r}")
    requirements = Requirements(
        public=public is True,
        optional=optional is True,
        scopes=parse_scopes(scopes),
        groups=_parse_memberships("groups", groups),
        roles=_parse_memberships("roles", roles),
        claims=_parse_claims(claims),
        allowed_clients=frozenset(_parse_names("allowed_clients", allowed_clients)),
        step_up=parse_step_up(acr_values=acr_values, max_age=max_age),
        validation=validation,
        dpop=str(dpop) if dpop else None,
        dpop_nonce=dpop_nonce,
    )
    if public and optional:
        raise ValueError("public reads no token, but optional does; remove one of them")
    if (public or optional) and not requirements.requires_only_token:
        name = "public" if public else "optional"
        # A client whose token does not meet the requirements would send the request without it.
        raise ValueError(f"the handler is {name}, so other requirements have no effect; remove {name}, or the others")
    return requirements


def _parse_memberships(attribute: str, value: object) -> tuple[frozenset[str], ...]:
    if isinstance(value, AnyOf):
        alternatives = tuple(frozenset(_parse_names(attribute, names)) for names in value.values)
        if not all(alternatives):
            raise ValueError(f"{attribute} is {value!r}, with an empty alternative that every user meets; remove it")
        return alternatives
    names = _parse_names(attribute, value)
    return (frozenset(names),) if names else ()


def _parse_names(attribute: str, value: object) -> list[str]:
    """Return a list of names; a string is one name, since the names of groups may contain spaces."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{attribute} must be a string or a list of strings, not {value!r}")
    names = [value] if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f"{attribute} contains {name!r}; each name must be a string that is not empty")
    return names


def _parse_claims(value: object) -> Mapping[str, tuple[Scalar, ...]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"claims must be a mapping from claim names to values, not {value!r}")
    claims: dict[str, tuple[Scalar, ...]] = {}
    for name, accepted in value.items():
        values = accepted.values if isinstance(accepted, AnyOf) else (accepted,)
        scalars = tuple(each for each in values if isinstance(each, Scalar))
        if not isinstance(name, str) or len(scalars) < len(values):
            raise TypeError(
                f"claims contains {name!r}: {accepted!r}; a value must be a string, number, bool, or AnyOf(…) of these"
            )
        claims[check_claim_name(name)] = scalars
    return claims


def _has_value(claim: object, accepted: tuple[Scalar, ...]) -> bool:
    """Return whether a claim is, or as a list contains, an accepted value; types must match, since ``True == 1``."""
    items = claim if isinstance(claim, list) else [claim]
    return any(type(item) is type(value) and item == value for item in items for value in accepted)
