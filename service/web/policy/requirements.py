"""What one method of a handler requires of whoever calls it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.errors import AccessDenied, InsufficientScope, Reason
from service.tokens.principal import Principal
from service.web.policy.scopes import AnyOf, ScopeMatching, ScopeRequirements, parse_scopes
from service.web.policy.step_up import StepUp, parse_step_up

ATTRIBUTES: Mapping[str, object] = {
    "public": False,
    "optional": False,
    "scopes": (),
    "groups": (),
    "claims": {},
    "allowed_clients": (),
    "acr_values": (),
    "max_age": None,
    "validation": "",
}
"""The attributes in which a requirement is written, and what stands for none."""

Scalar = str | int | float | bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirements:
    """The requirements of one method, read once and checked on every request.

    Args:
        public: Whether anybody may call it, and no token is looked at.
        optional: Whether a request without a token is served as nobody's; a bad token is refused all the same.
        scopes: What the token must allow.
        groups: All the groups of one of these are enough; none at all requires nothing.
        claims: For each name, the values of which the claim must have one, or hold one where it is a list.
        allowed_clients: The clients that may call; empty for all.
        step_up: How the user must have been authenticated.
        validation: The kind of validation that must judge the token; "" for that of its issuer in the settings.
    """

    public: bool = False
    optional: bool = False
    scopes: ScopeRequirements = field(default_factory=ScopeRequirements)
    groups: tuple[frozenset[str], ...] = ()
    claims: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)
    allowed_clients: frozenset[str] = frozenset()
    step_up: StepUp = field(default_factory=StepUp)
    validation: str = ""

    def check(self, principal: Principal, *, now: float, matching: ScopeMatching = ScopeMatching.EXACT) -> None:
        """Ask whether a principal may call the method; what a client can do least about comes first.

        Args:
            now: Wall time in seconds since the epoch.
            matching: How scopes are compared.

        Raises:
            AccessDenied: It is the wrong client or user, whatever the scopes.
            InsufficientScope: A scope is missing; the error names what would do.
            InsufficientAuthentication: The user was authenticated too weakly or too long ago.
        """
        if self.allowed_clients and principal.client_id not in self.allowed_clients:
            raise AccessDenied(Reason.CLIENT_FORBIDDEN, f"saw {principal.client_id!r}"[:200], claim="client_id")
        if self.groups and not any(one <= principal.groups for one in self.groups):
            raise AccessDenied(Reason.GROUP_REQUIRED, claim="groups")
        for name, wanted in self.claims.items():
            if not _holds(principal.claims.get(name), wanted):
                raise AccessDenied(Reason.CLAIM_MISMATCH, name, claim=name)
        if self.scopes.alternatives and not self.scopes.is_satisfied(principal.scopes, matching):
            raise InsufficientScope(self.scopes.preferred)
        if self.step_up.is_required:
            self.step_up.check(principal, now=now)

    @property
    def requires_only_token(self) -> bool:
        """Whether any good token would do."""
        return (
            Requirements(public=self.public, optional=self.optional, validation=self.validation * self.optional) == self
        )


def parse_requirements(  # noqa: PLR0913  # one for each word that there is
    *,
    public: object,
    optional: object,
    scopes: object,
    groups: object,
    claims: object,
    allowed_clients: object,
    acr_values: object,
    max_age: object,
    validation: object,
) -> Requirements:
    """Return the requirements that these attributes spell.

    Raises:
        TypeError: One of them is of a type that means nothing, so that the author meant something else.
        ValueError: One of them holds what cannot be, or two of them contradict each other.
    """
    for name, value in (("public", public), ("optional", optional)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} is True or False, not {value!r}")
    if not isinstance(validation, str):
        raise TypeError(f"validation is the name of a kind, not {validation!r}")
    requirements = Requirements(
        public=public is True,
        optional=optional is True,
        scopes=parse_scopes(scopes),
        groups=_read_groups(groups),
        claims=_read_claims(claims),
        allowed_clients=frozenset(_names("allowed_clients", allowed_clients)),
        step_up=parse_step_up(acr_values=acr_values, max_age=max_age),
        validation=validation,
    )
    if public and optional:
        raise ValueError("public looks at no token, and optional does; drop one of them")
    if (public or optional) and not requirements.requires_only_token:
        word = "public" if public else "optional"
        # Whoever is asked for more than they have would come without a token.
        raise ValueError(
            f"the handler is {word}, so that its other requirements bind nobody; drop {word}, or the others"
        )
    return requirements


def _read_groups(value: object) -> tuple[frozenset[str], ...]:
    if isinstance(value, AnyOf):
        alternatives = tuple(frozenset(_names("groups", one)) for one in value.values)
        if not all(alternatives):
            raise ValueError(f"groups holds {value!r} with an empty alternative, which every user would meet")
        return alternatives
    names = _names("groups", value)
    return (frozenset(names),) if names else ()


def _names(attribute: str, value: object) -> list[str]:
    """Return a list of names; a text is one name, since the names of groups have spaces in them."""
    if not isinstance(value, Iterable):
        raise TypeError(f"{attribute} is a text or a list of texts, not {value!r}")
    names = [value] if isinstance(value, str) else list(value)
    for name in names:
        if not isinstance(name, str) or not name:
            raise ValueError(f"{attribute} holds {name!r}, which nobody has")
    return names


def _read_claims(value: object) -> Mapping[str, tuple[Scalar, ...]]:
    if not isinstance(value, Mapping):
        raise TypeError(f"claims is a mapping from claim names to values, not {value!r}")
    claims: dict[str, tuple[Scalar, ...]] = {}
    for name, wanted in value.items():
        values = wanted.values if isinstance(wanted, AnyOf) else (wanted,)
        scalars = tuple(one for one in values if isinstance(one, Scalar))
        if not isinstance(name, str) or len(scalars) < len(values):
            raise TypeError(f"claims names {name!r}: {wanted!r}; a value is a text, a number or a bool, or AnyOf(…)")
        claims[name] = scalars
    return claims


def _holds(seen: object, wanted: tuple[Scalar, ...]) -> bool:
    """Return whether a claim has, or as a list holds, one of these values; in Python alone, True would equal 1."""
    items = seen if isinstance(seen, list) else [seen]
    return any(type(item) is type(one) and item == one for item in items for one in wanted)
