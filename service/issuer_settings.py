"""One issuer's part of the settings: what a person may write about it, and the terms that follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_settings import NoDecode

from service.tokens import issuer_identifier
from service.tokens.algorithms import ALGORITHMS

__all__ = [
    "OKTA_AUDIENCE",
    "Algorithms",
    "IssuerIdentifier",
    "IssuerSettings",
    "Profile",
    "Seconds",
    "Texts",
    "TrustedIssuer",
    "audience_at_okta",
]

OKTA_AUDIENCE = "api://default"
"""The audience that Okta gives its custom authorization servers."""


def _split(value: object) -> object:
    """A list in the environment is separated by commas, and spaces around them are nothing."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return value


def _is_spelt_right(issuer: str) -> str:
    if mistakes := issuer_identifier.mistakes_in(issuer):
        raise ValueError("; ".join(mistakes))
    return issuer


def _are_known(algorithms: tuple[str, ...]) -> tuple[str, ...]:
    if not algorithms or not ALGORITHMS.keys() >= set(algorithms):
        raise ValueError(f"expected some of {', '.join(ALGORITHMS)}; a symmetric one or none is never accepted")
    return algorithms


Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
IssuerIdentifier = Annotated[str, AfterValidator(_is_spelt_right)]
Algorithms = Annotated[Texts, AfterValidator(_are_known)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Profile = Literal["lenient", "strict"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedIssuer:
    """An authorization server whose tokens are accepted, and on what terms; times are in seconds.

    Args:
        validation: The kind of validator that judges its tokens.
        leeway: By how much its clock and ours may disagree.
        max_token_age: How long after ``iat`` a token is accepted; None for as long as it says itself.
        strict_rfc9068: Whether its tokens must have the type and all the claims of RFC 9068.
        grace: How long its last good keys serve while it cannot be asked.
    """

    issuer: str
    audiences: frozenset[str]
    validation: str
    algorithms: frozenset[str]
    allowed_client_ids: frozenset[str] | None
    leeway: float
    max_token_age: float | None
    strict_rfc9068: bool
    grace: float


class IssuerSettings(BaseModel):
    """One ``[[issuers]]`` table; what it leaves out is as for the program."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: IssuerIdentifier
    audience: Texts = ()
    validation: str | None = None
    algorithms: Algorithms | None = None
    allowed_client_ids: Texts | None = None
    leeway: Seconds | None = None
    max_token_age: Seconds | None = None
    rfc9068: Profile | None = None
    grace: Seconds | None = None


def audience_at_okta(issuer: object) -> tuple[str, ...]:
    """Return the audience of an Okta custom server, where the issuer is one and its spelling lets that be seen."""
    try:
        known = isinstance(issuer, str) and issuer_identifier.is_okta_custom_server(issuer)
    except ValueError:  # not a URL; the issuer's own check says so in better words
        known = False
    return (OKTA_AUDIENCE,) if known else ()
