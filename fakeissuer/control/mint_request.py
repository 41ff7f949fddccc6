"""What a mint call says and gives: any token that a test can name."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from fakeissuer.model.records import Record

_Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none"
]
FORGED: tuple[_Algorithm, ...] = ("HS256", "none")
"""What needs no private key: ``HS256`` is keyed with the public key as PEM, ``none`` has no signature."""

_TEN_YEARS_S = 315_360_000


class MintRequest(Record, frozen=True, kw_only=True):
    """What the token is to be; all of it may be left out.

    ``expires_in`` is in seconds and may be negative. ``scp`` is a list, or a text whose words are taken. ``claims`` and
    ``header`` are added last, and null takes away. ``key`` is a status, ``unpublished``, a kid, or one of ``odd_keys``.
    ``refresh_token`` is the one that an access token was issued with: revoking it revokes both. ``opaque`` makes an
    access token a text that says nothing, so that only introspection knows its claims.
    """

    secret_members: ClassVar[frozenset[str]] = frozenset({"refresh_token"})

    server: str = "default"
    kind: Literal["access", "id", "refresh"] = "access"
    sub: str | None = None
    cid: str | None = None
    scp: list[str] | str | None = None
    aud: list[str] | str | None = None
    expires_in: Annotated[int, Meta(ge=-_TEN_YEARS_S, le=_TEN_YEARS_S)] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    alg: _Algorithm | None = None
    key: str | None = None
    dpop_jkt: str | None = None
    refresh_token: str | None = None
    opaque: bool = False

    def __post_init__(self) -> None:
        """Refuse what contradicts itself.

        Raises:
            ValueError: an opaque token is to have what only a JWT has.
        """
        if self.opaque and (self.kind != "access" or self.header or self.alg is not None or self.key is not None):
            raise ValueError("an opaque token is an access token, and has no header, alg or key")

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """The scopes that were named, None if none were."""
        return None if self.scp is None else tuple(self.scp.split() if isinstance(self.scp, str) else self.scp)

    @property
    def is_forged(self) -> bool:
        """Whether the token will be one that the issuer would never have issued."""
        return self.alg in FORGED or self.key == "unpublished"


class MintedToken(Record, frozen=True, kw_only=True):
    """A token, and what is in it; an opaque one has no header, and its claims are what the store knows of it."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    header: dict[str, Any]
    claims: dict[str, Any]
