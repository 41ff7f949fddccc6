"""Puts into words what a method requires, for the table of the routes and for the description of the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.web.policy.requirements import Requirements

PUBLIC = "public"


def describe_requirements(requirements: Requirements) -> Iterator[str]:
    """Yield a few words for each thing that a method requires."""
    yield PUBLIC if requirements.public else "a token if any" if requirements.optional else "a token"
    if requirements.scopes.alternatives:
        yield f"scopes {_alternatives(requirements.scopes.alternatives)}"
    if requirements.groups:
        yield f"groups {_alternatives(requirements.groups)}"
    for name, values in requirements.claims.items():
        yield f"{name} {' or '.join(map(str, values))}"
    if requirements.allowed_clients:
        yield f"clients {' or '.join(sorted(requirements.allowed_clients))}"
    if requirements.step_up.acr_values:
        yield f"acr {' or '.join(requirements.step_up.acr_values)}"
    if requirements.step_up.max_age is not None:
        yield f"authenticated within {requirements.step_up.max_age} s"


def _alternatives(alternatives: Sequence[frozenset[str]]) -> str:
    return " or ".join(" and ".join(sorted(one)) for one in alternatives)
