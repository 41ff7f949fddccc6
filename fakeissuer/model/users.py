"""Users as they are registered at the issuer."""

from __future__ import annotations

import hmac
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field
from msgspec.structs import force_setattr

from fakeissuer.model.checks import check_custom_claims
from fakeissuer.model.identifiers import derived_id
from fakeissuer.model.records import Name, Record

_ADDRESS = {
    "street_address": "1 Test Street",
    "locality": "Springfield",
    "region": "CA",
    "postal_code": "90001",
    "country": "US",
}
"""An address as OpenID Connect Core 1.0 section 5.1.1 has it."""


class User(Record, frozen=True, kw_only=True):
    """A user; ``login`` is the user name, ``id`` the subject of ID tokens."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"password"})

    login: Name
    id: Annotated[str, Meta(max_length=200)] = ""
    password: Name = "password"  # noqa: S105  # public, printed at start
    given_name: str = "Test"
    family_name: str = "User"
    email: str = ""
    email_verified: bool = True
    locale: str = "en-US"
    zoneinfo: str = "America/Los_Angeles"
    updated_at: int = 1_700_000_000
    phone_number: str = "+1 555 0100"
    address: dict[str, str] = field(default_factory=lambda: dict(_ADDRESS))
    groups: tuple[Name, ...] = ("Everyone",)
    claims: dict[str, Any] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Derive missing members from the login.

        Raises:
            ValueError: a claim is reserved for the issuer.
        """
        check_custom_claims(self.claims, self.id_token_claims)
        if not self.id:
            force_setattr(self, "id", derived_id("00u", self.login))
        if not self.email:
            force_setattr(self, "email", self.login)

    def has_password(self, presented: str) -> bool:
        """Return whether this is the user's password, in constant time."""
        return hmac.compare_digest(self.password.encode(), presented.encode())

    @property
    def name(self) -> str:
        """The full name."""
        return f"{self.given_name} {self.family_name}"
