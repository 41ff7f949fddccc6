"""Whom the issuer imitates: Okta to the letter, or a server that keeps to the RFCs where Okta does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from fakeissuer.model.claims import Claims, Grant, access_token_claims, rfc9068_claims
from fakeissuer.model.records import Record

ProfileName = Literal["okta", "strict-rfc"]


class Variants(Record, frozen=True, kw_only=True):
    """Where accounts of Okta differ, or none was found: each may be switched in the file of ``--config``."""

    unknown_client_status: Literal[400, 401] = 401
    """The status with which the token endpoint refuses a client that nobody registered."""

    introspection_names_client_as_user: bool = False
    """Whether introspection tells a ``username`` of a token that has no user: the id of the client then."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What differs between the two."""

    access_token_claims: Callable[[Grant], Claims]
    typ: str | None
    """The ``typ`` of the access tokens of custom servers."""

    is_strict: bool
    """Whether refusals keep to RFC 6749 section 5.2: one shape, and a challenge with a 401."""

    variants: Variants = field(default_factory=Variants)


PROFILES: dict[ProfileName, Profile] = {
    "okta": Profile(access_token_claims=access_token_claims, typ=None, is_strict=False),
    "strict-rfc": Profile(access_token_claims=rfc9068_claims, typ="at+jwt", is_strict=True),
}
