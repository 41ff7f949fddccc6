"""Clients as they are registered at the issuer."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from fakeissuer.jose.public_keys import KeySet, check_public_keys
from fakeissuer.model.checks import check_custom_claims, check_known_names
from fakeissuer.model.grant_types import GRANT_TYPES, REDIRECT_GRANTS
from fakeissuer.model.records import Name, Record
from fakeissuer.model.redirect_uris import RedirectUri, check_redirect_uris

AuthMethod = Literal["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
MIN_HMAC_SECRET_LENGTH = 32
"""The minimum length in characters of a secret that keys an HMAC, as at Okta."""


class Client(Record, frozen=True, kw_only=True):
    """A registered client; a client with neither a secret nor keys is public.

    ``jwks`` is the JWK Set that verifies its assertions. A redirect URI that ends with ``:*`` matches any port and
    path. ``users`` are the logins of the assigned users; None assigns all users. ``rotation_type`` selects rotation of
    refresh tokens, the default for public clients; ``rotation_leeway`` is the number of seconds for which a replaced
    refresh token stays valid. ``response_types`` and ``issued_at`` (seconds since the epoch) are set for dynamically
    registered clients. ``dpop_bound_access_tokens`` requires a DPoP proof of each token request (RFC 9449 section 5.2).
    """

    secret_members: ClassVar[frozenset[str]] = frozenset({"secret"})

    id: Name
    name: Name
    secret: Name | None = None
    jwks: KeySet | None = None
    auth_methods: tuple[AuthMethod, ...] = ("client_secret_basic", "client_secret_post")
    grant_types: tuple[Name, ...] = ()
    redirect_uris: tuple[RedirectUri, ...] = ()
    post_logout_redirect_uris: tuple[RedirectUri, ...] = ()
    response_types: tuple[Name, ...] | None = None
    issued_at: int | None = None
    consent_method: Literal["TRUSTED", "REQUIRED"] = "TRUSTED"
    users: tuple[Name, ...] | None = None
    rotation_type: Literal["ROTATE", "STATIC"] | None = None
    dpop_bound_access_tokens: bool = False
    rotation_leeway: Annotated[int, Meta(ge=0, le=60)] = 30
    claims: dict[str, Any] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Whether the client does not authenticate and must use PKCE."""
        return self.auth_methods == ("none",)

    @property
    def rotates(self) -> bool:
        """Whether each use of a refresh token returns a new one."""
        return self.rotation_type == "ROTATE" or (self.rotation_type is None and self.is_public)

    def __post_init__(self) -> None:
        """Check that the client can authenticate and use its grants.

        Raises:
            ValueError: secret, keys and methods are inconsistent, or a key, a grant, a URI or a claim is invalid.
        """
        if not self.auth_methods or ("none" in self.auth_methods and len(self.auth_methods) > 1):
            raise ValueError("a client has at least one of the auth_methods, and 'none' excludes all others")
        if (self.secret is None) == any(method.startswith("client_secret") for method in self.auth_methods):
            raise ValueError(
                "a client has a secret exactly if its auth_methods use one; without secret and keys use ['none']"
            )
        if "client_secret_jwt" in self.auth_methods and len(self.secret or "") < MIN_HMAC_SECRET_LENGTH:
            length = len(self.secret or "")
            raise ValueError(f"secret has {length} characters; expected {MIN_HMAC_SECRET_LENGTH} for client_secret_jwt")
        if "private_key_jwt" in self.auth_methods and self.jwks is None:
            raise ValueError("jwks is missing; expected the client's public keys, which private_key_jwt needs")
        if self.jwks is not None:
            check_public_keys("jwks", self.jwks)
        check_custom_claims(self.claims, self.id_token_claims)
        check_known_names("grant_types", self.grant_types, GRANT_TYPES)
        check_redirect_uris("redirect_uris", self.redirect_uris)
        check_redirect_uris("post_logout_redirect_uris", self.post_logout_redirect_uris)
        if REDIRECT_GRANTS & set(self.grant_types) and not self.redirect_uris:
            raise ValueError("redirect_uris is empty; expected at least one, because the client's grants need it")
