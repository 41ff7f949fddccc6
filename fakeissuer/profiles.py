"""Whom the issuer imitates: Okta to the letter, or a server that keeps to the RFCs where Okta does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from fakeissuer.tokens import Claims, Grant, access_token_claims, rfc9068_claims

ProfileName = Literal["okta", "strict-rfc"]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What differs between the two."""

    access_token_claims: Callable[[Grant], Claims]
    typ: str | None
    """The `typ` of the access tokens of custom servers."""

    is_strict: bool
    """Whether refusals keep to RFC 6749 section 5.2: one shape, and a challenge with a 401."""


PROFILES: dict[ProfileName, Profile] = {
    "okta": Profile(access_token_claims=access_token_claims, typ=None, is_strict=False),
    "strict-rfc": Profile(access_token_claims=rfc9068_claims, typ="at+jwt", is_strict=True),
}
