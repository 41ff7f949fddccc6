"""Okta exactly, and a server with Okta's paths that follows the RFCs where Okta deviates."""

from __future__ import annotations

from fakeissuer.model.claims import access_token_claims, id_token_claims, rfc9068_claims
from fakeissuer.profiles.profile import Profile

PROFILES = {
    "okta": Profile(
        access_token_claims=access_token_claims, id_token_claims=id_token_claims, typ=None, is_strict=False
    ),
    "strict-rfc": Profile(
        access_token_claims=rfc9068_claims, id_token_claims=id_token_claims, typ="at+jwt", is_strict=True
    ),
}
