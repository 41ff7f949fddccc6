"""Profiles of the issuer: Okta exactly, or a server that follows the RFCs where Okta deviates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from fakeissuer.model.claims import Claims, Grant, access_token_claims, rfc9068_claims
from fakeissuer.model.records import Record

ProfileName = Literal["okta", "strict-rfc"]


class Variants(Record, frozen=True, kw_only=True):
    """Behaviours that differ between Okta accounts; each can be set in the ``--config`` file."""

    unknown_client_status: Literal[400, 401] = 401
    """The status of the token endpoint for an unregistered client."""

    introspection_names_client_as_user: bool = False
    """Whether introspection returns the client ID as ``username`` of a token without a user."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The differences between the profiles."""

    access_token_claims: Callable[[Grant], Claims]
    typ: str | None
    """The ``typ`` of the access tokens of custom servers."""

    is_strict: bool
    """Whether error responses follow RFC 6749 section 5.2: one format, and a challenge with a 401."""

    variants: Variants = field(default_factory=Variants)


PROFILES: dict[ProfileName, Profile] = {
    "okta": Profile(access_token_claims=access_token_claims, typ=None, is_strict=False),
    "strict-rfc": Profile(access_token_claims=rfc9068_claims, typ="at+jwt", is_strict=True),
}
