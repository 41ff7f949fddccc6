"""Puts into words what a method demands, for the table of the routes and for the description of the API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.web.policy.requirements import Demand

__all__ = ["PUBLIC", "described"]

PUBLIC = "public"


def described(demand: Demand) -> Iterator[str]:
    """Yield a few words for each thing that a method demands."""
    yield PUBLIC if demand.public else "a token if any" if demand.optional else "a token"
    if demand.scopes.alternatives:
        yield f"scopes {_alternatives(demand.scopes.alternatives)}"
    if demand.groups:
        yield f"groups {_alternatives(demand.groups)}"
    for name, values in demand.claims.items():
        yield f"{name} {' or '.join(map(str, values))}"
    if demand.allowed_clients:
        yield f"clients {' or '.join(sorted(demand.allowed_clients))}"
    if demand.step_up.acr_values:
        yield f"acr {' or '.join(demand.step_up.acr_values)}"
    if demand.step_up.max_age is not None:
        yield f"authenticated within {demand.step_up.max_age} s"


def _alternatives(alternatives: Sequence[frozenset[str]]) -> str:
    return " or ".join(" and ".join(sorted(one)) for one in alternatives)
