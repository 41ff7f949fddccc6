"""What is registered: authorization servers with their access policy, clients, users."""

from __future__ import annotations

import hmac
from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field
from msgspec.structs import force_setattr

from fakeissuer.endpoints import ORG
from fakeissuer.entry_checks import KeySet, check_among, check_custom_claims, check_public_keys
from fakeissuer.grant_types import KNOWN, WITH_REDIRECT
from fakeissuer.identifiers import derived_id
from fakeissuer.records import Record
from fakeissuer.redirects import check_redirect_uris

RESERVED_SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access", "device_sso")
ORG_SCOPES = (*RESERVED_SCOPES[:6], "groups")
OIDC_SCOPES = (*RESERVED_SCOPES, "groups")

RedirectUri = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,2000}\Z")]
"""A URI of printable ASCII: it goes into a header and into a page."""
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Lifetime = Annotated[int, Meta(ge=1, le=315_360_000)]
"""Seconds, up to ten years."""
AuthMethod = Literal["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"]
SHORTEST_HMAC_SECRET = 32
"""Characters that a secret has at least before Okta lets it key an HMAC."""

LEFT_OUT = ("",)
"""What nobody can write, for scopes that are empty are refused."""

IssuerMode = Literal["ORG_URL", "CUSTOM_URL", "DYNAMIC"]


class PolicyRule(Record, frozen=True, kw_only=True):
    """A rule of an access policy: which grants, clients, groups of users and scopes it allows; None means any.

    Its lifetimes are in seconds, in the ranges that Okta has for them; that of a refresh token is without being used.
    """

    grant_types: tuple[Name, ...] | None = None
    clients: tuple[Name, ...] | None = None
    groups: tuple[Name, ...] | None = None
    scopes: tuple[Name, ...] | None = None
    access_token_lifetime: Annotated[int, Meta(ge=300, le=86_400)] | None = None
    refresh_token_idle_lifetime: Annotated[int, Meta(ge=600, le=157_680_000)] | None = None

    def __post_init__(self) -> None:
        """Refuse grants that there are not: a rule that was mistyped would never fit.

        Raises:
            ValueError: a grant type is not known.
        """
        check_among("grant_types", self.grant_types or (), KNOWN)


class Server(Record, frozen=True, kw_only=True):
    """An authorization server: what it is called, whom its tokens are for, what may be asked of it.

    Of the `policy` the first rule that fits counts. `default_scopes` are those of a request that names none; left out,
    `api:read` is one where it is among the scopes. `trusted_issuers` are those whose assertions it takes, each with
    its public keys; servers among them may have their tokens exchanged. `published_scopes` are those of its own that
    its documents show. `claims` go into its access tokens, `id_token_claims` into its ID tokens and to userinfo; a
    text may hold `${user.email}` and the like, see `claim_templates`.
    """

    id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]
    audience: Name
    scopes: tuple[Name, ...] = (*OIDC_SCOPES, "api:read", "api:write")
    default_scopes: tuple[Name, ...] = LEFT_OUT
    access_token_lifetime: Lifetime = 3600
    issuer_mode: IssuerMode = "CUSTOM_URL"
    policy: tuple[PolicyRule, ...] = (PolicyRule(),)
    trusted_issuers: dict[str, KeySet] = field(default_factory=dict)
    published_scopes: tuple[Name, ...] = ()
    claims: dict[str, Any] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in the default scopes, and refuse key sets that are none, claims and scopes that there cannot be.

        Raises:
            ValueError: a trusted issuer has no JWK Set of public keys, or a claim or a scope cannot be.
        """
        if self.default_scopes == LEFT_OUT:
            force_setattr(self, "default_scopes", tuple(scope for scope in ("api:read",) if scope in self.scopes))
        check_custom_claims(self.claims, self.id_token_claims)
        for scope in self.scopes:
            if " " in scope:
                raise ValueError(f"scopes holds {scope!r}; expected no space, which divides scopes in a request")
        check_among("default_scopes", self.default_scopes, self.scopes)
        check_among("published_scopes", self.published_scopes, self.scopes)
        for number, rule in enumerate(self.policy):
            check_among(f"policy[{number}].scopes", rule.scopes or (), self.scopes)
        for issuer, jwks in self.trusted_issuers.items():
            check_public_keys(f"trusted_issuers[{issuer!r}]", jwks)

    @property
    def is_org(self) -> bool:
        """Tell whether this is the org server, whose tokens nobody else can verify."""
        return self.id == ORG


class Client(Record, frozen=True, kw_only=True):
    """A registered client; one with neither a secret nor a key of its own is a public one.

    `jwks` are its public keys, as a JWK Set, by which its assertions are known. A redirect URI that ends with `:*`
    stands for any port and any path. `users` are the logins of those who are assigned to it, None means everybody.
    `rotation_type` says whether a refresh token is used once, which public clients do by default, and
    `rotation_leeway` for how many seconds it may be used again all the same. `response_types` and `issued_at`, in
    seconds since the epoch, are told of a client that registered itself.
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
    rotation_leeway: Annotated[int, Meta(ge=0, le=60)] = 30
    claims: dict[str, Any] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict)

    @property
    def is_public(self) -> bool:
        """Tell whether the client just names itself, and so has to use PKCE."""
        return self.auth_methods == ("none",)

    @property
    def rotates(self) -> bool:
        """Tell whether each use of a refresh token gives a new one."""
        return self.rotation_type == "ROTATE" or (self.rotation_type is None and self.is_public)

    def __post_init__(self) -> None:
        """Refuse a client that could never authenticate or use its grants, or would give a secret away.

        Raises:
            ValueError: secret, keys and methods contradict each other, or a key, a grant, a URI or a claim cannot be.
        """
        if not self.auth_methods or ("none" in self.auth_methods and len(self.auth_methods) > 1):
            raise ValueError("a client has some auth_methods, and beside 'none' no other")
        if (self.secret is None) == any(method.startswith("client_secret") for method in self.auth_methods):
            raise ValueError(
                "a client has a secret if its auth_methods use one, and else none; without secret and key: ['none']"
            )
        if "client_secret_jwt" in self.auth_methods and len(self.secret or "") < SHORTEST_HMAC_SECRET:
            length = len(self.secret or "")
            raise ValueError(f"secret has {length} characters; expected {SHORTEST_HMAC_SECRET} for client_secret_jwt")
        if "private_key_jwt" in self.auth_methods and self.jwks is None:
            raise ValueError("jwks is missing; expected the client's public keys, which private_key_jwt needs")
        if self.jwks is not None:
            check_public_keys("jwks", self.jwks)
        check_custom_claims(self.claims, self.id_token_claims)
        check_among("grant_types", self.grant_types, KNOWN)
        check_redirect_uris("redirect_uris", self.redirect_uris)
        check_redirect_uris("post_logout_redirect_uris", self.post_logout_redirect_uris)
        if WITH_REDIRECT & set(self.grant_types) and not self.redirect_uris:
            raise ValueError("redirect_uris is empty; expected one at least, which the grants of this client need")


class User(Record, frozen=True, kw_only=True):
    """Somebody who signs in: `login` is the name typed, `id` what ID tokens say."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"password"})

    login: Name
    id: Annotated[str, Meta(max_length=200)] = ""
    password: Name = "password"  # noqa: S105 - printed at start, for everybody to use
    given_name: str = "Test"
    family_name: str = "User"
    email: str = ""
    email_verified: bool = True
    locale: str = "en-US"
    zoneinfo: str = "America/Los_Angeles"
    updated_at: int = 1_700_000_000
    groups: tuple[Name, ...] = ("Everyone",)
    claims: dict[str, Any] = field(default_factory=dict)
    id_token_claims: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what follows from the login.

        Raises:
            ValueError: a claim is one that the issuer answers for.
        """
        check_custom_claims(self.claims, self.id_token_claims)
        if not self.id:
            force_setattr(self, "id", derived_id("00u", self.login))
        if not self.email:
            force_setattr(self, "email", self.login)

    def has_password(self, shown: str) -> bool:
        """Tell whether this is the user's password, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(self.password.encode(), shown.encode())

    @property
    def name(self) -> str:
        """The name in full."""
        return f"{self.given_name} {self.family_name}"
