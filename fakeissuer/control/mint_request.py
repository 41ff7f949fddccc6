"""Request and response of the mint call."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import Meta, field

from fakeissuer.model.records import Record

_Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none"
]
FORGED: tuple[_Algorithm, ...] = ("HS256", "none")
"""Algorithms without a private key: ``HS256`` is keyed with the public key as PEM, ``none`` has no signature."""

_TEN_YEARS_S = 315_360_000


class MintRequest(Record, frozen=True, kw_only=True):
    """The description of a token; every member is optional.

    ``expires_in`` is in seconds and may be negative. ``scp`` is a list, or a string of scopes separated by spaces.
    ``claims`` and ``header`` override members, and null removes one. ``key`` is a status, ``unpublished``, a kid, or
    one of ``unusual_keys.UNUSUAL_KEYS``.
    ``refresh_token`` is the one that an access token was issued with: revoking it revokes both. ``dpop_jkt`` and
    ``x5t_s256`` are the thumbprints of the key and of the client certificate that the token is bound to. ``opaque``
    makes a random access token whose claims only introspection returns.
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
    x5t_s256: str | None = None
    refresh_token: str | None = None
    opaque: bool = False

    def __post_init__(self) -> None:
        """Check that the members do not contradict each other.

        Raises:
            ValueError: an opaque token has members that only a JWT can have.
        """
        if self.opaque and (self.kind != "access" or self.header or self.alg is not None or self.key is not None):
            raise ValueError("an opaque token must be an access token without header, alg or key")

    @property
    def scopes(self) -> tuple[str, ...] | None:
        """The requested scopes, or None if the request has no ``scp``."""
        return None if self.scp is None else tuple(self.scp.split() if isinstance(self.scp, str) else self.scp)

    @property
    def is_forged(self) -> bool:
        """Whether the token is one that the issuer could not have issued."""
        return self.alg in FORGED or self.key == "unpublished"


class MintedToken(Record, frozen=True, kw_only=True):
    """A token with its header and claims; the header of an opaque token is empty."""

    secret_members: ClassVar[frozenset[str]] = frozenset({"token"})

    token: str
    header: dict[str, Any]
    claims: dict[str, Any]
