"""Describes the requirements of a method in words, for the route table and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from service.web.policy.requirements import Requirements

PUBLIC = "public"


def describe_requirements(requirements: Requirements) -> Iterator[str]:
    """Yield a short description of each requirement of a method."""
    yield PUBLIC if requirements.public else "an optional token" if requirements.optional else "a token"
    if requirements.scopes.alternatives:
        yield f"scopes {_join(requirements.scopes.alternatives)}"
    if requirements.groups:
        yield f"groups {_join(requirements.groups)}"
    if requirements.roles:
        yield f"roles {_join(requirements.roles)}"
    for name, values in requirements.claims.items():
        yield f"{name} {' or '.join(map(str, values))}"
    if requirements.allowed_clients:
        yield f"clients {' or '.join(sorted(requirements.allowed_clients))}"
    if requirements.step_up.acr_values:
        yield f"acr {' or '.join(requirements.step_up.acr_values)}"
    if requirements.step_up.max_age is not None:
        yield f"authenticated within {requirements.step_up.max_age} s"
    if requirements.dpop is not None:
        yield f"DPoP {requirements.dpop}"
    if requirements.dpop_nonce is not None:
        yield "a DPoP nonce" if requirements.dpop_nonce else "no DPoP nonce"


def _join(alternatives: Sequence[frozenset[str]]) -> str:
    return " or ".join(" and ".join(sorted(names)) for names in alternatives)
